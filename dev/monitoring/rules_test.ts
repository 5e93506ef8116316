import { ok, strictEqual as equal } from "node:assert/strict";

const FOLDER = new URL("./", import.meta.url).pathname;

for (
  const [what, ...args] of [
    ["the example of a configuration is valid", "check", "config", "prometheus.yml"],
    ["the alerts are valid", "check", "rules", "--lint-fatal", "alerts.yml"],
    ["each alert fires for what it is about and nothing else", "test", "rules", "alerts_test.yml"],
  ]
) {
  Deno.test(`promtool finds that ${what}`, async () => {
    const command = new Deno.Command("promtool", { args, cwd: FOLDER });
    const { code, stdout, stderr } = await command.output();
    const said = new TextDecoder();
    equal(code, 0, said.decode(stdout) + said.decode(stderr));
  });
}

Deno.test("each alert has a test that names it", async () => {
  const rules = await Deno.readTextFile(`${FOLDER}alerts.yml`);
  const tests = await Deno.readTextFile(`${FOLDER}alerts_test.yml`);
  const names = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
  ok(names.length > 0);
  for (const name of names) ok(tests.includes(name), name);
});
