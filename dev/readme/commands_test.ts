/**
 * Runs every command of the README and the guides, as somebody does who has nothing but a clone.
 *
 * A command that cannot be run here is named in `commands.ts` with the reason, which is printed.
 *
 * @module
 */

import { match, strictEqual as equal } from "node:assert/strict";
import { exceptionTo, prepared, readyOf } from "./commands.ts";
import { type Block, blocks, documents, inlineCommands } from "./markdown.ts";
import { type Stage, stage } from "./stage.ts";

const CI = Deno.readTextFileSync(new URL("../../.ci/run", import.meta.url));

// What blocks run, too, but for what the text says of it.
const RUN_HERE = [
  /^npx -y deno@[\d.]+ task (dev|start)\b/,
  /^deno task (dev|test)$/,
  /^gatehouse /,
  /^deno run -P main\.ts$/,
];

Deno.test("every command in the text of the README and the guides is tried somewhere", () => {
  const untried = documents().flatMap(inlineCommands).filter(({ command }) =>
    !exceptionTo(command, CI) && !RUN_HERE.some((pattern) => pattern.test(command))
  );
  equal(untried.map(({ where, command }) => `${where}: ${command}`).join("\n"), "");
});

Deno.test("every command of the README and the guides does what it should", async (t) => {
  await using place = await stage();
  for (const document of documents()) {
    let settings = "";
    for (const block of blocks(document)) {
      const excepted = block.commands.map((command) => exceptionTo(command, CI));
      for (const [index, reason] of excepted.entries()) {
        const name = `${block.where} not run here: ${block.commands[index]} (${reason})`;
        if (reason) await t.step({ name, ignore: true, fn: () => {} });
      }
      const commands = block.commands.filter((_, index) => !excepted[index]);
      if (commands.length === 0) continue;
      if (commands.every(isExport)) settings = commands.join("\n");
      await t.step(`${block.where} ${commands.at(-1)!.slice(0, 80)}`, () => {
        return tryOut({ ...block, commands }, settings, place);
      });
    }
  }
});

const isExport = (command: string) => command.startsWith("export ");

async function tryOut({ where, commands }: Block, settings: string, place: Stage): Promise<void> {
  const script = commands.join("\n");
  const last = commands.at(-1)!;
  if (commands.every(isExport)) {
    await using checking = place.run(`${script}\ngatehouse check`);
    match(await checking.end(), /No problems found/);
  } else if (commands.every((command) => command.startsWith("curl "))) {
    await askedOfServer(script, settings, place);
  } else if (readyOf(last)) {
    await using serving = place.run(script);
    await serving.until(readyOf(last)!);
    match(await (await fetch(`${place.origin}/readyz`)).text(), /^ready$/m, where);
    for (const [line] of serving.output().matchAll(/^curl .*$/gm)) {
      await using pasted = place.run(line);
      match(await pasted.end(), /"result"/);
    }
  } else {
    // Verifying comes after configuring, in the same terminal.
    const isVerifying = commands.every((command) => command.startsWith("gatehouse check"));
    await using running = place.run(isVerifying ? `${settings}\n${script}` : prepared(script));
    await running.end();
  }
}

/** Runs requests against a server with the settings that come before them in the document. */
async function askedOfServer(script: string, settings: string, place: Stage): Promise<void> {
  await using server = place.run(
    `${settings.replaceAll("MCP_HTTP_HOST=0.0.0.0", "")}\nexec gatehouse`,
  );
  await server.until(/"event":"serving"/);
  await using asking = place.run(script, { TOKEN: await place.tokenFor(settings) });
  const answer = await asking.end().catch((cause) => {
    throw new Error(`Cannot get an answer from:\n${server.output()}`, { cause });
  });
  match(answer, script.includes("whoami") ? /alice/ : /\S/);
}
