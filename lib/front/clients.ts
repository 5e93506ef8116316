/**
 * How clients are connected to this server: what to paste, press or write into which file.
 *
 * @module
 */

import { isLoopback } from "../origin.ts";
import type { Facts, Login } from "./facts.ts";

/** How one client is connected. */
export interface Recipe {
  readonly client: string;
  readonly steps: readonly Step[];
}

/** Sentences with code between backticks, something to copy, or a link that the client opens. */
export type Step = string | Snippet | { readonly label: string; readonly url: string };

/** Something to copy as it is. */
export interface Snippet {
  /** What it is, after "Copy". */
  readonly what: string;
  readonly text: string;
  /** Where it goes. */
  readonly file?: string;
}

/** The release of the MCP Inspector that this server is tested with. */
export const INSPECTOR = "@modelcontextprotocol/inspector@2.12.0";

/** Name of this server in the configuration of clients. */
const NAME = "gatehouse";
/** Variable in which a client finds the token of a person. */
const VARIABLE = "GATEHOUSE_TOKEN";
const REPLACE = "Put your token in the place of `TOKEN`.";
const HEADER = `--header "Authorization: Bearer TOKEN"`;

/** Where clients have people sent back to that do not return to this computer. */
const RETURNS = {
  claude: ["https://claude.ai/api/mcp/auth_callback"],
  cursor: ["cursor://anysphere.cursor-mcp/oauth/callback"],
  vscode: ["https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"],
} as const;

/** The recipes for a server of these facts. */
export function recipes({ title, endpoint, login }: Facts): readonly Recipe[] {
  const url = endpoint.href;
  return [
    { client: "Claude Code", steps: claudeCode(url, login) },
    { client: "Claude Desktop", steps: claudeDesktop(endpoint, login, title) },
    { client: "VS Code", steps: vsCode(url, login) },
    { client: "Cursor", steps: cursor(url, login) },
    { client: "Codex CLI", steps: codex(url, login) },
    { client: "Gemini CLI", steps: gemini(url, login) },
    { client: "MCP Inspector", steps: inspector(url, login) },
    { client: "Another app", steps: another(url, login) },
  ];
}

function claudeCode(url: string, login: Login): Step[] {
  const header = login.kind === "token" ? ` ${HEADER}` : "";
  return [
    command(`claude mcp add --transport http ${NAME} ${url}${header}`),
    ...login.kind === "token" ? [REPLACE] : [],
    ...ask(login, "Then type `/mcp` in Claude Code and choose “Authenticate”."),
  ];
}

function claudeDesktop(endpoint: URL, login: Login, title: string): Step[] {
  const { href: url, protocol, hostname } = endpoint;
  const local = isLoopback(hostname);
  const args = ["-y", "mcp-remote", url];
  if (protocol === "http:" && !local) args.push("--allow-http");
  // A space in an argument is lost on Windows; one in a variable is not.
  if (login.kind === "token") args.push("--header", "Authorization:${AUTH_HEADER}");
  const env = login.kind === "token" && { env: { AUTH_HEADER: "Bearer TOKEN" } };
  const bridge: Step[] = [
    "Choose Settings, Developer, Edit Config, and start Claude Desktop anew afterwards. It needs Node.js.",
    file("claude_desktop_config.json", {
      mcpServers: { [NAME]: { command: "npx", args, ...env } },
    }),
    ...login.kind === "token" ? [REPLACE] : [],
  ];
  if (protocol !== "https:" || local || login.kind === "token") return bridge;
  return [
    `Choose Settings, Connectors, Add custom connector. Name it ${title} and give this URL:`,
    urlOf(url),
    ...allowFirst(login, RETURNS.claude),
    "Claude connects from Anthropic’s servers, so the URL has to be reachable from the internet. " +
    "Where it is not, connect from your computer:",
    ...bridge,
  ];
}

function vsCode(url: string, login: Login): Step[] {
  const server = { type: "http", url };
  if (login.kind === "token") {
    return [
      "VS Code asks for your token when it starts the server.",
      file(".vscode/mcp.json", {
        inputs: [{ type: "promptString", id: "token", description: "Token", password: true }],
        servers: {
          [NAME]: { ...server, headers: { Authorization: "Bearer ${input:token}" } },
        },
      }),
    ];
  }
  const asked = encodeURIComponent(JSON.stringify({ name: NAME, ...server }));
  return [
    ...allowFirst(login, RETURNS.vscode),
    { label: "Add to VS Code", url: `vscode:mcp/install?${asked}` },
    "Or by hand, for one folder:",
    file(".vscode/mcp.json", { servers: { [NAME]: server } }),
  ];
}

function cursor(url: string, login: Login): Step[] {
  const path = "~/.cursor/mcp.json";
  if (login.kind === "token") {
    const headers = { Authorization: `Bearer \${env:${VARIABLE}}` };
    return [
      `Have your token in the variable \`${VARIABLE}\` when you start Cursor.`,
      file(path, { mcpServers: { [NAME]: { url, headers } } }),
    ];
  }
  const config = encodeURIComponent(btoa(JSON.stringify({ url })));
  return [
    ...allowFirst(login, RETURNS.cursor),
    {
      label: "Add to Cursor",
      url: `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${config}`,
    },
    "Or by hand:",
    file(path, { mcpServers: { [NAME]: { url } } }),
  ];
}

function codex(url: string, login: Login): Step[] {
  const add = `codex mcp add ${NAME} --url ${url}`;
  const table = `[mcp_servers.${NAME}]\nurl = ${JSON.stringify(url)}`;
  const path = "~/.codex/config.toml";
  if (login.kind === "token") {
    return [
      `Have your token in the variable \`${VARIABLE}\` when you start Codex.`,
      command(`${add} --bearer-token-env-var ${VARIABLE}`),
      "Or by hand:",
      into(path, `${table}\nbearer_token_env_var = ${JSON.stringify(VARIABLE)}`),
    ];
  }
  return [
    command(add),
    ...ask(login, `If it does not log you in by itself, run \`codex mcp login ${NAME}\`.`),
    "Or by hand:",
    into(path, table),
  ];
}

function gemini(url: string, login: Login): Step[] {
  const header = login.kind === "token" ? `${HEADER} ` : "";
  return [
    command(`gemini mcp add --scope user --transport http ${header}${NAME} ${url}`),
    ...login.kind === "token" ? [REPLACE] : [],
    ...ask(login, `Then type \`/mcp auth ${NAME}\` in Gemini CLI.`),
  ];
}

function inspector(url: string, login: Login): Step[] {
  if (login.kind === "token") {
    return [
      command(`npx -y ${INSPECTOR} --cli ${url} ${HEADER} --method tools/list`),
      REPLACE,
    ];
  }
  return [
    command(`npx -y ${INSPECTOR}`),
    "It opens in your browser. Choose streamable HTTP and give this URL:",
    urlOf(url),
  ];
}

function another(url: string, login: Login): Step[] {
  const found = login.kind === "none" ? "" : " It finds the login by itself.";
  return [
    "Choose streamable HTTP and this URL." + (login.kind === "token" ? "" : found),
    urlOf(url),
    ...login.kind === "token"
      ? ["Send your token with every request:", {
        what: "the header",
        text: "Authorization: Bearer TOKEN",
      }]
      : [],
  ];
}

function command(text: string): Snippet {
  return { what: "the command", text };
}

function urlOf(text: string): Snippet {
  return { what: "the URL", text };
}

function file(path: string, content: unknown): Snippet {
  return into(path, JSON.stringify(content, null, 2));
}

function into(path: string, text: string): Snippet {
  return { what: `what goes into ${path}`, text, file: path };
}

// Only those who log in have to be told where.
function ask(login: Login, words: string): Step[] {
  return login.kind === "native" || login.kind === "proxy" ? [words] : [];
}

// Clients register all their URIs at once, so one that is not allowed keeps them out.
function allowFirst(login: Login, uris: readonly string[]): Step[] {
  if (login.kind !== "proxy") return [];
  const missing = uris.filter((uri) => !login.returnsTo(uri)).map((uri) => `\`${uri}\``);
  if (missing.length === 0) return [];
  return [
    `The operator has to allow it first: \`OAUTH_REDIRECT_URIS\` lacks ${missing.join(" and ")}.`,
  ];
}
