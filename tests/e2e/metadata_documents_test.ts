import { rejects, strictEqual as equal } from "node:assert/strict";
import { type Certificates, certificates, withoutCertificates } from "../certificates.ts";
import { logIn, LOGIN_KINDS, newAccount } from "./login_clients.ts";
import { newPerson, REDIRECT_URI } from "./login_person.ts";
import { HTTP_ENV, start } from "./program.ts";
import { skipBecause } from "./skip.ts";

const tls = skipBecause(withoutCertificates);

/** A site on loopback that publishes the metadata of one client. */
function site({ cert, key }: Certificates, redirectUri: string) {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    (request) => {
      asked.push(new URL(request.url).pathname);
      return Response.json({
        client_id: request.url,
        client_name: "A client with a document",
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "none",
      });
    },
  );
  const documentUrl = `https://localhost:${server.addr.port}/client.json`;
  return { asked, documentUrl, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test({
  name: "clients log in by their metadata documents, and refresh, without registration (SPEC B4.1)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    await using client = site(made, REDIRECT_URI);
    const { documentUrl } = client;
    await using program = await start({
      env: { ...HTTP_ENV, OAUTH_MODE: "proxy", DENO_CERT: made.caFile },
    });
    for (const kind of LOGIN_KINDS) {
      const account = newAccount({ documentUrl });
      const peer = await logIn(kind, program.endpoint, account, newPerson({ user: "alice" }));
      account.spoil();
      equal((await peer.whoami()).subject, "alice", kind.name);
      equal(account.clientId(), documentUrl);
      equal(account.sent[0]!.searchParams.get("client_id"), documentUrl);
      await peer.close();
    }
    equal(client.asked.includes("/client.json"), true);
    await program.until("stderr", /"event":"issued".*"client":"A client with a document"/);
    equal(program.stderr().includes('"event":"registered"'), false);
  },
});

Deno.test({
  name:
    "a client gets no code where its document does not say so, nor from a site that nobody vouches for (SPEC B2.3, B4.1)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    await using elsewhere = site(made, "http://127.0.0.1:33418/elsewhere");
    await using unknown = await certificates("DNS:localhost");
    await using stranger = site(unknown, REDIRECT_URI);
    await using program = await start({
      env: { ...HTTP_ENV, OAUTH_MODE: "proxy", DENO_CERT: made.caFile },
    });
    const [kind] = LOGIN_KINDS;
    for (const { documentUrl } of [elsewhere, stranger]) {
      const account = newAccount({ documentUrl });
      await rejects(
        logIn(kind!, program.endpoint, account, newPerson({ user: "alice" })),
        /Cannot find a form on the page/,
      );
    }
    await program.until("stderr", /"reason":"redirect_uri is not registered"/);
    await program.until("stderr", /cannot be reached/);
  },
});
