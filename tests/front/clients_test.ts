import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type Recipe, recipes, type Snippet } from "../../lib/front/clients.ts";
import type { Facts, Login } from "../../lib/front/facts.ts";

const ENDPOINT = "https://mcp.example.com/mcp";

const PROXY = { kind: "proxy", registration: ["documents", "dynamic"] } as const;
const LOGINS = {
  none: { kind: "none" },
  token: { kind: "token" },
  native: { kind: "native", issuer: { name: "Okta", host: "company.okta.com" } },
  proxy: { ...PROXY, returnsTo: () => true },
  closed: { ...PROXY, returnsTo: () => false },
} as const satisfies Record<string, Login>;

function all(login: Login, endpoint = ENDPOINT): readonly Recipe[] {
  const url = new URL(endpoint);
  const facts: Facts = {
    title: "Gatehouse",
    version: "1.2.3",
    endpoint: url,
    login,
    packs: [],
    readOnly: false,
  };
  return recipes(facts);
}

function steps(client: string, login: Login, endpoint?: string): Recipe["steps"] {
  return all(login, endpoint).find((recipe) => recipe.client === client)!.steps;
}

function snippets(list: Recipe["steps"]): Snippet[] {
  return list.filter((step) => typeof step === "object" && "text" in step);
}

function links(list: Recipe["steps"]): string[] {
  return list.flatMap((step) => typeof step === "object" && "url" in step ? [step.url] : []);
}

function words(list: Recipe["steps"]): string {
  return list.filter((step) => typeof step === "string").join(" ");
}

for (const [name, login] of Object.entries(LOGINS)) {
  Deno.test(`recipes() sends every client to the endpoint and nowhere else, login ${name}`, () => {
    for (const { client, steps } of all(login)) {
      const text = snippets(steps).map(({ text }) => text).join("\n");
      const named = text.match(/https?:[^\s"]+/g) ?? [];
      deepEqual([...new Set(named)], [ENDPOINT], client);
    }
  });

  Deno.test(`recipes() writes JSON that parses and names one server, login ${name}`, () => {
    let files = 0;
    for (const { steps } of all(login)) {
      for (const { file, text } of snippets(steps)) {
        if (!file?.endsWith(".json")) continue;
        const { mcpServers, servers = mcpServers } = JSON.parse(text);
        deepEqual(Object.keys(servers), ["gatehouse"]);
        files++;
      }
    }
    equal(files, 3);
  });
}

Deno.test("recipes() asks for a token wherever there is no login, and says whose it is", () => {
  for (const { client, steps } of all(LOGINS.token)) {
    const text = snippets(steps).map(({ text }) => text).join("\n");
    match(text, /Bearer (?:TOKEN|\$\{\w+:\w+\})|GATEHOUSE_TOKEN/, client);
    match(words(steps), /your token/i, client);
    deepEqual(links(steps), [], `${client}: a link cannot carry a token`);
  }
});

Deno.test("recipes() mentions no token where people log in, or nobody has to", () => {
  for (const login of [LOGINS.none, LOGINS.native, LOGINS.proxy]) {
    ok(!/token|bearer/i.test(JSON.stringify(all(login))));
  }
});

Deno.test("recipes() speaks of logging in only where there is a login", () => {
  match(words(steps("Claude Code", LOGINS.native)), /Authenticate/);
  match(words(steps("Gemini CLI", LOGINS.proxy)), /\/mcp auth gatehouse/);
  ok(!/authenticate|auth |log/i.test(all(LOGINS.none).map(({ steps }) => words(steps)).join()));
});

Deno.test("the links of VS Code and Cursor carry what their files say", () => {
  const [vscode] = links(steps("VS Code", LOGINS.proxy));
  deepEqual(JSON.parse(decodeURIComponent(/^vscode:mcp\/install\?(.*)$/.exec(vscode!)![1]!)), {
    name: "gatehouse",
    type: "http",
    url: ENDPOINT,
  });
  const [link] = links(steps("Cursor", LOGINS.proxy));
  const { origin, protocol, pathname, searchParams } = new URL(link!);
  deepEqual(
    [protocol, origin, pathname, searchParams.get("name")],
    ["cursor:", "null", "/mcp/install", "gatehouse"],
  );
  const [{ text } = { text: "" }] = snippets(steps("Cursor", LOGINS.proxy));
  deepEqual(JSON.parse(atob(searchParams.get("config")!)), JSON.parse(text).mcpServers.gatehouse);
});

Deno.test("Claude Desktop is offered a connector only where Claude's servers could come in", () => {
  const offers = (endpoint: string, login: Login = LOGINS.proxy) =>
    /custom connector/.test(words(steps("Claude Desktop", login, endpoint)));
  equal(offers("https://mcp.example.com/mcp"), true);
  equal(offers("https://mcp.example.com/mcp", LOGINS.token), false);
  equal(offers("http://mcp.example.com/mcp"), false);
  equal(offers("https://localhost:8443/mcp"), false);
  equal(offers("http://127.0.0.1:8080/mcp"), false);
});

Deno.test("Claude Desktop's bridge is told of plain http beyond this machine, and only of that", () => {
  const argsAt = (endpoint: string): string[] => {
    const file = snippets(steps("Claude Desktop", LOGINS.none, endpoint)).find(({ file }) => file)!;
    return JSON.parse(file.text).mcpServers.gatehouse.args;
  };
  deepEqual(argsAt("http://10.0.0.7:8080/mcp").at(-1), "--allow-http");
  for (const endpoint of [ENDPOINT, "http://localhost:8080/mcp", "http://[::1]:8080/mcp"]) {
    deepEqual(argsAt(endpoint), ["-y", "mcp-remote", endpoint]);
  }
});

Deno.test("no argument of Claude Desktop's bridge has a space, which Windows would lose", () => {
  const [file] = snippets(steps("Claude Desktop", LOGINS.token));
  const { args, env } = JSON.parse(file!.text).mcpServers.gatehouse;
  deepEqual(args.filter((arg: string) => arg.includes(" ")), []);
  deepEqual(env, { AUTH_HEADER: "Bearer TOKEN" });
});

Deno.test("recipes() says which return addresses the operator still has to allow", () => {
  const lacks = (client: string, login: Login) =>
    /OAUTH_REDIRECT_URIS/.test(words(steps(client, login)));
  const cursorOnly: Login = { ...PROXY, returnsTo: (uri) => !uri.startsWith("cursor:") };
  equal(lacks("Cursor", cursorOnly), true);
  match(words(steps("Cursor", cursorOnly)), /`cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback`/);
  equal(lacks("VS Code", cursorOnly), false);
  const half: Login = { ...PROXY, returnsTo: (uri) => !uri.includes("insiders") };
  match(words(steps("VS Code", half)), /lacks `https:\/\/insiders\.vscode\.dev\/redirect`\./);
  for (const client of ["Cursor", "VS Code", "Claude Desktop"]) {
    equal(lacks(client, LOGINS.closed), true);
    for (const login of [LOGINS.none, LOGINS.token, LOGINS.native, LOGINS.proxy]) {
      equal(lacks(client, login), false);
    }
  }
  // These come back to the person's own computer, which is always allowed.
  for (const client of ["Claude Code", "Codex CLI", "Gemini CLI", "MCP Inspector"]) {
    equal(lacks(client, LOGINS.closed), false);
  }
});
