/**
 * The house rules that a machine can check.
 *
 * - `imports-point-down`: a file imports files of a lower rank; from rank 2 up, files of its own
 *   rank only inside one folder.
 * - `host-is-a-port`: `lib/` takes time, entropy and the host as arguments.
 * - `no-module-state`: nothing in `lib/` changes at module level.
 * - `errors-begin-with-cannot`: a thrown message says what could not be done.
 * - `strict-assertions`: `equal` and its kin compare loosely under Deno, whatever module they come from.
 * - `file-length`: a file past 300 lines is hiding two.
 *
 * @module
 */

const RANKS: readonly (readonly [pattern: RegExp, rank: number])[] = [
  [
    /lib\/(audit|base64url|delivery|glob|meter|ports|spans|http|identity|errors|trace|version)\.ts$/,
    0,
  ],
  [
    /lib\/(address|allow|cache|crowd|forwarded|log|challenge|jwt|limit|metered|metrics|mint|origin|outbound|scope|seal|share|sparing)\.ts$/,
    1,
  ],
  [/lib\/proxy\/(client|metadata|redirect)\.ts$/, 1],
  [/lib\/page\/\w+\.ts$/, 1],
  [/lib\/(acting|provider|store|pack|audit\/\w+|config|config\/\w+)\.ts$/, 2],
  [/lib\/(acting|provider|store|mcp)\/\w+\.ts$/, 3],
  [
    /lib\/(actings|bearer|discovery|front|front\/\w+|mcp|observe|providers|proxy|proxy\/\w+|readiness|stdio|stores|pack\/\w+|pack\/\w+\/\w+)\.ts$/,
    4,
  ],
  [/lib\/(issuing|packs)\.ts$/, 5],
  [/lib\/app\.ts$/, 6],
  [/lib\/(cli|cli\/\w+)\.ts$/, 7],
  [/main\.ts$/, 8],
];

const FIRST_STRICT_RANK = 2;
const LONGEST_FILE = 300;

function rankOf(path: string): number | undefined {
  return RANKS.find(([pattern]) => pattern.test(path))?.[1];
}

// `config.ts` and `config/` are one room: the file is its door.
function roomOf(path: string): string {
  return path.replace(/\.ts$/, "").replace(/(\/lib\/[^/]+)\/.*$/, "$1");
}

const isLibrary = (path: string) => path.includes("/lib/");

const HOST_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Date: ["now"],
  performance: ["now"],
  Math: ["random"],
  crypto: ["getRandomValues", "randomUUID"],
};

const plugin: Deno.lint.Plugin = {
  name: "gatehouse",
  rules: {
    "imports-point-down": {
      create(context) {
        const own = rankOf(context.filename);
        return {
          ImportDeclaration(node) {
            if (!node.source.value.startsWith(".") || own === undefined) return;
            const target = new URL(node.source.value, `file://${context.filename}`).pathname;
            const theirs = rankOf(target);
            if (theirs === undefined || theirs < own) return;
            const sameRoom = roomOf(target) === roomOf(context.filename);
            if (theirs === own && (own < FIRST_STRICT_RANK || sameRoom)) return;
            const message = `Import points up or across: ${node.source.value}`;
            context.report({ node: node.source, message });
          },
        };
      },
    },
    "host-is-a-port": {
      create(context) {
        if (!isLibrary(context.filename)) return {};
        const message = "lib/ takes time, entropy and the host as arguments; only main.ts has them";
        return {
          MemberExpression(node) {
            if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
            const { name } = node.object;
            const banned = Object.hasOwn(HOST_MEMBERS, name) ? HOST_MEMBERS[name] : undefined;
            if (name === "Deno" || banned?.includes(node.property.name)) {
              context.report({ node, message });
            }
          },
          NewExpression(node) {
            const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
            if (isDate && node.arguments.length === 0) context.report({ node, message });
          },
        };
      },
    },
    "no-module-state": {
      create(context) {
        if (!isLibrary(context.filename)) return {};
        return {
          "Program > VariableDeclaration[kind='let']"(node: Deno.lint.VariableDeclaration) {
            context.report({ node, message: "Nothing in lib/ changes at module level" });
          },
        };
      },
    },
    "errors-begin-with-cannot": {
      create(context) {
        if (!isLibrary(context.filename)) return {};
        return {
          "ThrowStatement > NewExpression"(node: Deno.lint.NewExpression) {
            const [first] = node.arguments;
            const text = first?.type === "Literal"
              ? String(first.value)
              : first?.type === "TemplateLiteral"
              ? first.quasis[0]?.cooked ?? ""
              : undefined;
            // What these say goes to clients, in their words.
            const isProtocol = node.callee.type === "Identifier" &&
              ["ProtocolError", "ToolError"].includes(node.callee.name);
            if (isProtocol || text === undefined || text.startsWith("Cannot ")) return;
            context.report({ node, message: 'An error message begins with "Cannot"' });
          },
        };
      },
    },
    "strict-assertions": {
      create(context) {
        return {
          ImportSpecifier(node) {
            const { imported } = node;
            const name = imported.type === "Identifier" ? imported.name : imported.value;
            const { source } = node.parent as Deno.lint.ImportDeclaration;
            const isLoose = /^(?:not)?(?:deep)?equal$/i.test(name) && /assert/.test(source.value);
            if (!isLoose) return;
            context.report({ node, message: `${name} compares loosely: import its strict form` });
          },
        };
      },
    },
    "file-length": {
      create(context) {
        return {
          Program(node) {
            const lines = context.sourceCode.text.split("\n").length - 1;
            if (lines <= LONGEST_FILE) return;
            context.report({ node, message: `${lines} lines: past 300 a file is hiding two` });
          },
        };
      },
    },
  },
};

export default plugin;
