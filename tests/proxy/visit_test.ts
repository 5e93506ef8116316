import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { DOCUMENT, json, PUBLIC, refused, URL_OF, visits } from "./visits.ts";

Deno.test("visitor() fetches a document from the address it judged, telling nothing (SPEC B4.1, E4)", async () => {
  const { visit, resolved, reached } = visits();
  const visited = await visit();
  ok(visited.ok);
  deepEqual(visited.value, DOCUMENT);
  equal(visited.headers.get("content-type"), "application/json");
  deepEqual(resolved, ["client.example"]);
  equal(reached.length, 1);
  const { request, address } = reached[0]!;
  deepEqual([address, request.url, request.method], [PUBLIC, URL_OF, "GET"]);
  equal(request.redirect, "manual");
  deepEqual([...request.headers], [["accept", "application/json"]]);
});

const URLS: readonly (readonly [url: string, name: string])[] = [
  ["http://client.example/a", "http"],
  ["ftp://client.example/a", "another scheme"],
  ["file:///etc/passwd", "a file"],
  ["https://user@client.example/a", "user information"],
  ["https://:pass@client.example/a", "a password"],
  ["client.example/a", "no URL"],
];
for (const [url, name] of URLS) {
  Deno.test(`visitor() goes nowhere for ${name} (SPEC E3, E4)`, async () => {
    const { visit, resolved, reached } = visits();
    refused(await visit(url), /^the URL is not plain https$/, false);
    deepEqual([resolved, reached], [[], []]);
  });
}

const PRIVATE: readonly (readonly [addresses: readonly string[], name: string])[] = [
  [["127.0.0.1"], "loopback"],
  [["::1"], "loopback over IPv6"],
  [["10.0.0.7"], "a private address"],
  [["169.254.169.254"], "metadata of a cloud"],
  [["fd00:ec2::254"], "metadata of a cloud over IPv6"],
  [["0.0.0.0"], "no address in particular"],
  [["::ffff:10.0.0.7"], "mapped IPv4"],
  [["64:ff9b::a00:7"], "NAT64"],
  [["2002:a00:7::1"], "6to4"],
  [["2001:0:5db8:d70e::f5ff:fff8"], "Teredo"],
  [["2606:4700::5efe:10.0.0.7"], "ISATAP"],
  [[PUBLIC, "10.0.0.7"], "a public address and then a private one"],
  [["10.0.0.7", PUBLIC], "a private address and then a public one"],
  [[PUBLIC, PUBLIC, PUBLIC, "fe80::1"], "a private address past those that are tried"],
  [["client.example"], "a name for an address"],
];
for (const [addresses, name] of PRIVATE) {
  Deno.test(`visitor() connects to nothing when a name stands for ${name} (SPEC B4.1, E4; FastMCP 3.4.3)`, async () => {
    const { visit, reached } = visits({ addresses });
    // Like a name that does not resolve: the answer must not tell what is inside.
    refused(await visit(), /is not a public address$/, true);
    deepEqual(reached, []);
  });
}

for (
  const host of ["127.0.0.1", "[::1]", "10.0.0.7", "0x7f.1", "2130706433", "[::ffff:7f00:1]", "0"]
) {
  Deno.test(`visitor() judges the address ${host} in a URL without resolving it (SPEC E3, E4)`, async () => {
    const { visit, resolved, reached } = visits();
    refused(await visit(`https://${host}/a`), /is not a public address$/, false);
    deepEqual([resolved, reached], [[], []]);
  });
}

for (
  const [host, address] of [["1.1.1.1", "1.1.1.1"], ["[2606:4700::1]", "2606:4700::1"]] as const
) {
  Deno.test(`visitor() goes to the public address ${host} in a URL`, async () => {
    const { visit, resolved, reached } = visits();
    ok((await visit(`https://${host}/a`)).ok);
    deepEqual([resolved, reached[0]!.address], [[], address]);
  });
}

Deno.test("visitor() resolves once, so that a name cannot change its mind (SPEC E3, E4; DNS rebinding)", async () => {
  const answers = [[PUBLIC], ["127.0.0.1"]];
  const { visit, resolved, reached } = visits({ resolve: () => Promise.resolve(answers.shift()!) });
  ok((await visit()).ok);
  deepEqual([resolved.length, reached.map(({ address }) => address)], [1, [PUBLIC]]);
  refused(await visit(), /^127\.0\.0\.1 is not/, true);
  equal(reached.length, 1);
});

const LOOPBACK: readonly (readonly [addresses: readonly string[], allowed: boolean])[] = [
  [["127.0.0.1"], true],
  [["::1", "127.0.0.1"], true],
  [[PUBLIC], true],
  [["10.0.0.7"], false],
  [["::ffff:127.0.0.1"], false],
  [["127.0.0.1", "169.254.169.254"], false],
];
for (const [addresses, allowed] of LOOPBACK) {
  Deno.test(`visitor() that allows loopback says ${allowed} to ${addresses} (SPEC B4.1)`, async () => {
    const { visit, reached } = visits({ addresses, allowLoopback: true });
    equal((await visit()).ok, allowed);
    equal(reached.length > 0, allowed);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  Deno.test(`visitor() does not follow ${status}, to a private address or elsewhere (SPEC B4.1, E3)`, async () => {
    const location = "https://169.254.169.254/latest/meta-data";
    const answer = () => new Response(null, { status, headers: { location } });
    const { visit, reached } = visits({ answer });
    refused(await visit(), new RegExp(`^the answer has status ${status}$`), false);
    equal(reached.length, 1);
  });
}

const STATUSES: readonly (readonly [status: number, retryable: boolean])[] = [
  [201, false],
  [203, false],
  [206, false],
  [400, false],
  [404, false],
  [410, false],
  [429, true],
  [500, true],
  [503, true],
];
for (const [status, retryable] of STATUSES) {
  Deno.test(`visitor() takes ${status} for a failure, retryable: ${retryable} (SPEC B4.1)`, async () => {
    const { visit } = visits({ answer: () => Response.json(DOCUMENT, { status }) });
    refused(await visit(), new RegExp(`^the answer has status ${status}$`), retryable);
  });
}

const TYPES: readonly (readonly [type: string, good: boolean])[] = [
  ["application/json", true],
  ["Application/JSON; charset=utf-8", true],
  ["application/json ;charset=utf-8", true],
  ["application/oauth-client+json", true],
  ["application/jwk-set+json", true],
  ["text/html", false],
  ["text/html; application/json", false],
  ["text/json", false],
  ["text/plain", false],
  ["application/jsonp", false],
  ["application/+json", false],
  ["application/json, text/html", false],
  ["application/octet-stream", false],
  ["", false],
];
for (const [type, good] of TYPES) {
  Deno.test(`visitor() says ${good} to the type ${JSON.stringify(type)} (SPEC B4.1)`, async () => {
    const headers: Record<string, string> = type ? { "content-type": type } : {};
    const body = new TextEncoder().encode("{}");
    const visited = await visits({ answer: () => new Response(body, { headers }) }).visit();
    if (good) equal(visited.ok, true);
    else refused(visited, /^the answer is not JSON by its type$/, false);
  });
}

const BODIES: readonly (readonly [name: string, body: BodyInit, reason: RegExp | undefined])[] = [
  ["the largest size", JSON.stringify("a".repeat(98)), undefined],
  ["one byte more", JSON.stringify("a".repeat(99)), /^the answer has more than 100 bytes$/],
  ["bytes and not characters", JSON.stringify("ä".repeat(50)), /^the answer has more than 100/],
  ["no body", "", /^the answer is not JSON$/],
  ["half a document", '{"a":', /^the answer is not JSON$/],
  ["a page", "<!doctype html>", /^the answer is not JSON$/],
  ["two documents", "{}{}", /^the answer is not JSON$/],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), /^the answer is not JSON$/],
  ["null", "null", undefined],
];
for (const [name, body, reason] of BODIES) {
  Deno.test(`visitor() ${reason ? "refuses" : "reads"} a body of ${name} (SPEC B4.1)`, async () => {
    const visited = await visits({ answer: json(body) }).visit();
    if (reason) refused(visited, reason, false);
    else equal(visited.ok, true);
  });
}

Deno.test("visitor() reads no more of a huge body than it has to, and leaves (SPEC B4.1)", async () => {
  let pulled = 0;
  let left = false;
  const body = new ReadableStream({
    pull: (to) => (pulled++, to.enqueue(new Uint8Array(60))),
    cancel: () => void (left = true),
  }, { highWaterMark: 0 });
  refused(await visits({ answer: json(body) }).visit(), /more than 100 bytes/, false);
  deepEqual([pulled, left], [2, true]);
});

Deno.test("visitor() leaves without the body that it will not judge", async () => {
  let left = false;
  const body = new ReadableStream({ cancel: () => void (left = true) });
  const { visit } = visits({ answer: () => new Response(body, { status: 404 }) });
  refused(await visit(), /404/, false);
  ok(left);
});

for (const coding of ["gzip", "br", "gzip, gzip", "zstd"]) {
  Deno.test(`visitor() does not unpack ${coding} (SPEC B4.1)`, async () => {
    const { visit } = visits({ answer: json("{}", { "content-encoding": coding }) });
    refused(await visit(), /^the answer is packed$/, false);
  });
}
