import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { MAX_CHUNK_LINE_BYTES, MAX_HEAD_BYTES, readAnswer } from "../../lib/cli/answer.ts";

/** Reads what a server sends in pieces of `size` bytes; `closed` counts. */
function wire(text: string, size = Infinity) {
  let rest = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const state = { closed: 0, read: 0 };
  const read = () => {
    state.read++;
    const piece = rest.slice(0, size);
    rest = rest.slice(size);
    return Promise.resolve(piece.length > 0 ? piece : null);
  };
  return { state, answer: readAnswer(read, () => void state.closed++) };
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const ANSWERS: readonly (readonly [name: string, sent: string, body: string])[] = [
  ["a length", `${OK}Content-Length: 5\r\n\r\nhello`, "hello"],
  ["a length and more after it", `${OK}Content-Length: 5\r\n\r\nhello world`, "hello"],
  ["no body", `${OK}Content-Length: 0\r\n\r\n`, ""],
  ["a body to the end", `${OK}\r\nhello`, "hello"],
  ["chunks", `${CHUNKED}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, "hello"],
  ["chunks with extensions", `${CHUNKED}3;a=b\r\nhel\r\n02 ; c\r\nlo\r\n0;d\r\n\r\n`, "hello"],
  ["chunks and trailers", `${CHUNKED}5\r\nhello\r\n0\r\nSet-Cookie: a\r\n\r\n`, "hello"],
  ["sizes in hexadecimal", `${CHUNKED}a\r\n0123456789\r\n0\r\n\r\n`, "0123456789"],
  [
    "interim answers",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 H\r\nLink: a\r\n\r\n${OK}\r\nx`,
    "x",
  ],
  ["no reason", "HTTP/1.1 200\r\n\r\nx", "x"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nx", "x"],
];
for (const [name, sent, body] of ANSWERS) {
  Deno.test(`readAnswer() reads an answer with ${name}, in any pieces, and closes`, async () => {
    for (const size of [1, 2, 3, 7, Infinity]) {
      const { state, answer } = wire(sent, size);
      const response = await answer;
      equal(response.status, 200);
      equal(state.closed, 0);
      equal(await response.text(), body);
      equal(state.closed, 1);
    }
  });
}

Deno.test("readAnswer() keeps status and headers", async () => {
  const { answer } = wire("HTTP/1.1 404 Gone fishing\r\nA: 1\r\nb:  2 3 \r\nA:4\r\nC:\r\n\r\n");
  const response = await answer;
  equal(response.status, 404);
  deepEqual([...response.headers], [["a", "1, 4"], ["b", "2 3"], ["c", ""]]);
  await response.body?.cancel();
});

for (const status of [204, 205, 304]) {
  Deno.test(`readAnswer() expects no body with ${status}, and closes`, async () => {
    const { answer, state } = wire(`HTTP/1.1 ${status} x\r\nContent-Length: 5\r\n\r\nhello`);
    const response = await answer;
    deepEqual([response.status, response.body, state.closed], [status, null, 1]);
  });
}

const NO_ANSWERS: readonly (readonly [name: string, sent: string])[] = [
  ["nothing", ""],
  ["half a head", `${OK}Content-Type: a`],
  ["HTTP/0.9", "<html>\r\n\r\n"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 x\r\n\r\n"],
  ["a status above 599", "HTTP/1.1 600 x\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 x\r\n\r\n"],
  ["a change of protocol", "HTTP/1.1 101 x\r\nUpgrade: a\r\n\r\n"],
  ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"],
  ["a carriage return in a header", `${OK}A: b\rContent-Length: 5\r\n\r\nhello`],
  ["a NUL in a header", `${OK}A: b\0\r\n\r\nhello`],
  ["a folded header", `${OK}A: b\r\n c\r\n\r\nhello`],
  ["a blank before the colon", `${OK}Content-Length : 5\r\n\r\nhello`],
  ["a header without a name", `${OK}: 5\r\n\r\nhello`],
  ["a header without a colon", `${OK}Content-Length\r\n\r\nhello`],
  ["a head that is too large", `${OK}A: ${"a".repeat(MAX_HEAD_BYTES)}\r\n\r\n`],
  ["too many headers", `${OK}${"A: b\r\n".repeat(MAX_HEAD_BYTES / 6)}\r\n\r\n`],
  ["endless interim answers", "HTTP/1.1 100 x\r\n\r\n".repeat(1000) + OK + "\r\n"],
];
for (const [name, sent] of NO_ANSWERS) {
  Deno.test(`readAnswer() refuses ${name} (SPEC E4)`, async () => {
    for (const size of [1, Infinity]) await rejects(wire(sent, size).answer, /^(Type)?Error: /);
  });
}

const BROKEN: readonly (readonly [name: string, sent: string])[] = [
  ["a body shorter than its length", `${OK}Content-Length: 6\r\n\r\nhello`],
  ["a length that is negative", `${OK}Content-Length: -5\r\n\r\nhello`],
  ["a length in hexadecimal", `${OK}Content-Length: 0x5\r\n\r\nhello`],
  ["an empty length", `${OK}Content-Length:\r\n\r\nhello`],
  ["two lengths", `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`],
  ["a length twice", `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
  ["chunks and a length", `${OK}Content-Length: 5\r\n${CHUNKED.slice(OK.length)}0\r\n\r\n`],
  ["another coding", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["a coding twice", `${OK}Transfer-Encoding: chunked\r\n${CHUNKED.slice(OK.length)}0\r\n\r\n`],
  // A parser that takes the size for a number steps back by it, and never ends.
  ["a chunk size that is negative", `${CHUNKED}1\r\na\r\n-6\r\n0\r\n\r\n`],
  ["a chunk size with a prefix", `${CHUNKED}0x1\r\na\r\n0\r\n\r\n`],
  ["a chunk size with a sign", `${CHUNKED}+1\r\na\r\n0\r\n\r\n`],
  ["a chunk size that overflows", `${CHUNKED}fffffffffffffffff\r\na\r\n0\r\n\r\n`],
  ["no chunk size", `${CHUNKED}\r\na\r\n0\r\n\r\n`],
  ["a chunk longer than its size", `${CHUNKED}1\r\nabc\r\n0\r\n\r\n`],
  ["chunks that break off", `${CHUNKED}5\r\nhello\r\n`],
  ["a long extension", `${CHUNKED}1;${"a".repeat(MAX_CHUNK_LINE_BYTES)}\r\na\r\n0\r\n\r\n`],
];
for (const [name, sent] of BROKEN) {
  Deno.test(`readAnswer() fails the body on ${name}, and closes (SPEC E4)`, async () => {
    for (const size of [1, Infinity]) {
      const { answer, state } = wire(sent, size);
      const response = await answer;
      await rejects(response.text(), /^Error: Cannot read /);
      equal(state.closed, 1);
    }
  });
}

Deno.test("readAnswer() takes a head of the largest size", async () => {
  const padding = MAX_HEAD_BYTES - `${OK}A: \r\n\r\n`.length;
  const response = await wire(`${OK}A: ${"a".repeat(padding)}\r\n\r\nx`).answer;
  equal(await response.text(), "x");
  await rejects(wire(`${OK}A: ${"a".repeat(padding + 1)}\r\n\r\nx`).answer, /too long/);
});

Deno.test("readAnswer() reads no more than is asked for, and closes when that is enough", async () => {
  const { answer, state } = wire(`${OK}Content-Length: 1000\r\n\r\n${"a".repeat(1000)}`, 100);
  const reader = (await answer).body!.getReader();
  const before = state.read;
  await reader.read();
  ok(state.read <= before + 1);
  await reader.cancel();
  equal(state.closed, 1);
});

Deno.test("readAnswer() fails the body when the connection does", async () => {
  let reads = 0;
  const head = new TextEncoder().encode(`${OK}\r\n`);
  const read = () => reads++ ? Promise.reject(new Error("reset")) : Promise.resolve(head);
  let closed = 0;
  const response = await readAnswer(read, () => void closed++);
  await rejects(response.text(), /^Error: reset$/);
  equal(closed, 1);
});

Deno.test("readAnswer() gives back any body that was cut into chunks, in any pieces", async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 });
  const property = async (chunks: Uint8Array[], size: number) => {
    const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
    const body = chunks.map((bytes) => `${bytes.length.toString(16)}\r\n${latin1(bytes)}\r\n`);
    const response = await wire(`${CHUNKED}${body.join("")}0\r\n\r\n`, size).answer;
    equal(latin1(await response.bytes()), chunks.map(latin1).join(""));
  };
  await fc.assert(fc.asyncProperty(chunks, fc.integer({ min: 1, max: 40 }), property), {
    seed: 1,
    numRuns: 200,
  });
});

Deno.test("readAnswer() answers or rejects, whatever it is sent", async () => {
  const piece = fc.constantFrom(
    OK,
    CHUNKED,
    "Content-Length: ",
    "Transfer-Encoding: chunked",
    "\r\n",
    "\n",
    "5",
    "-1",
    "0",
    "hello",
    ":",
    " ",
    "HTTP/1.1 100 x",
    ";",
    "ffffffff",
    "\u00ff",
  );
  const property = async (pieces: string[], size: number) => {
    const { answer, state } = wire(pieces.join(""), size);
    const settled = await answer.then((response) => response.bytes()).then(() => 1, () => 0);
    ok(settled === 0 || state.closed === 1);
  };
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), property),
    { seed: 1, numRuns: 1000 },
  );
});
