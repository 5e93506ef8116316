import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { loginOf } from "../../../lib/pack/kafka/sasl.ts";

type Authenticate = NonNullable<NonNullable<ReturnType<typeof loginOf>>["options"]["authenticate"]>;

/** Logs in at a broker that asks for so many iterations. */
async function logIn(iterations: number) {
  const said: string[] = [];
  const { authenticate } = loginOf({
    mechanism: "scram-sha-256",
    username: "alice",
    password: "quokka",
  })!.options as { authenticate: Authenticate };
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const ask = (_connection: unknown, bytes: Buffer, reply: (...args: unknown[]) => void) => {
    said.push(bytes.toString());
    if (said.length > 1) return reply(new Error("that will do"));
    const nonce = /r=(.*)$/.exec(said[0]!)![1];
    const authBytes = Buffer.from(`r=${nonce}more,s=c2FsdA==,i=${iterations}`);
    reply(null, { authBytes, sessionLifetimeMs: 0n });
  };
  authenticate(
    "SCRAM-SHA-256",
    {} as Parameters<Authenticate>[1],
    ask as unknown as Parameters<Authenticate>[2],
    "alice",
    "quokka",
    undefined,
    ((error: unknown) => resolve(error)) as Parameters<Authenticate>[6],
  );
  const error = await promise as Error;
  return { said, error: `${error.message} ${(error.cause as Error)?.message}` };
}

Deno.test("a broker does not have a password hashed for hours", async () => {
  const { said, error } = await logIn(20_000_000);
  deepEqual(said.length, 1);
  match(error, /Cannot hash a password 20000000 times/);
});

Deno.test("a password is hashed as often as brokers ask for", async () => {
  const { said, error } = await logIn(16_384);
  deepEqual(said.length, 2);
  match(error, /that will do/);
});

Deno.test("loginOf() tells of the token that was refused, and of none that was not shown", async () => {
  const heard: string[] = [];
  let count = 0;
  const login = () =>
    loginOf({
      mechanism: "oauthbearer",
      token: () => Promise.resolve(`t${++count}`),
      refused: (token) => heard.push(token),
    })!;
  const [first, second, third] = [login(), login(), login()];
  const shown = async ({ options }: ReturnType<typeof login>) =>
    await (options.token as () => Promise<string>)();
  deepEqual([await shown(first), await shown(second)], ["t1", "t2"]);
  first.refused();
  third.refused();
  deepEqual(heard, ["t1"]);
  equal(loginOf({ mechanism: "plain", username: "a", password: "b" })!.refused(), undefined);
});
