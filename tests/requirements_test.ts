import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { REQUIREMENTS, sectionOf, SECTIONS } from "./requirements.ts";

/** Ids that names of tests cite, with the files that do. Comments do not count. */
async function citations(folder: string): Promise<Map<string, Set<string>>> {
  const cited = new Map<string, Set<string>>();
  for (const path of await filesIn(folder)) {
    if (!/_test\.ts$|\/vectors\/[^/]+\.json$/.test(path)) continue;
    const text = (await Deno.readTextFile(path))
      .replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
    for (const [, ids] of text.matchAll(/\bSPEC ([A-Z][\d.]*\d(?:(?:, | and )[A-Z][\d.]*\d)*)/g)) {
      for (const id of ids!.split(/, | and /)) {
        cited.set(id, (cited.get(id) ?? new Set()).add(path.slice(folder.length + 1)));
      }
    }
  }
  return cited;
}

async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    paths.push(...isDirectory ? await filesIn(path) : [path]);
  }
  return paths;
}

const CITED = await citations(import.meta.dirname!);

for (const { id, what, exempt } of REQUIREMENTS) {
  if (exempt !== undefined) continue;
  Deno.test(`a test cites ${id}: ${what}`, () => {
    ok(CITED.has(id), `Name a test "… (SPEC ${id})", or say in requirements.ts why it is exempt`);
  });
}

Deno.test("every id that a test cites is one of the requirements", () => {
  const known = new Set(REQUIREMENTS.map(({ id }) => id));
  const unknown = [...CITED].filter(([id]) => /^[A-E]/.test(id) && !known.has(id));
  deepEqual(unknown.map(([id, files]) => `${id} in ${[...files].join(", ")}`), []);
});

Deno.test("every requirement has an id of its own, in order, and a place in the specification", () => {
  const ids = REQUIREMENTS.map(({ id }) => id);
  deepEqual(ids, [...new Set(ids)]);
  deepEqual(Object.keys(SECTIONS), [...new Set(ids.map(sectionOf))]);
  const numbers = Map.groupBy(ids, sectionOf);
  for (const [section, group] of numbers) {
    const last = group.map((id) => Number(id.split(/[.DE]/).at(-1)));
    deepEqual(last, group.map((_, index) => index + 1), section);
  }
});
