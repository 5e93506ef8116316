import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { newGate } from "./flow.ts";

const TOOLS = { OAUTH_TOOL_SCOPES: "whoami=mcp:admin", OAUTH_SCOPES_REQUIRED: "mcp:use" };

async function scopesOf(as: string, env: Record<string, string>): Promise<string[]> {
  const gate = await newGate(env);
  const client = await gate.register();
  const code = await gate.code(client, { scope: "mcp:use mcp:admin" }, { as });
  const { status, body } = await gate.redeem(client, code);
  equal(status, 200);
  return (body.scope ?? "").split(" ").filter(Boolean).sort();
}

Deno.test("a person without the role does not get a scope that needs one, whoever asks (SPEC E13)", async () => {
  const env = { ...TOOLS, OAUTH_ROLE_SCOPES: "editor=mcp:admin,admin=mcp:admin" };
  deepEqual(await scopesOf("alice", env), ["mcp:admin", "mcp:use"]);
  deepEqual(await scopesOf("bob", env), ["mcp:admin", "mcp:use"]);
  deepEqual(await scopesOf("carol", env), ["mcp:use"]);
});

Deno.test("the development login keeps the scopes of tools for the admin (SPEC E13)", async () => {
  deepEqual(await scopesOf("alice", TOOLS), ["mcp:admin", "mcp:use"]);
  deepEqual(await scopesOf("bob", TOOLS), ["mcp:use"]);
});

Deno.test("tool scopes that everybody can grant are warned of, behind an identity provider (SPEC E13)", async () => {
  const env = {
    ...TOOLS,
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: "https://idp.example",
    OIDC_CLIENT_ID: "gatehouse",
  };
  const told = "everybody can grant the scopes of tools";
  const without = await newGate(env);
  ok(without.ports.lines.some((line) => line.includes(told)));
  const given = await newGate({ ...env, OAUTH_ROLE_SCOPES: "ops=mcp:admin" });
  ok(!given.ports.lines.some((line) => line.includes(told)));
});
