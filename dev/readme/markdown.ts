/**
 * What the README and the guides say that can be checked: blocks of commands, commands in the text,
 * links, headings and tables.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A document, read. */
export interface Document {
  /** Path from the top of the repository. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of shell commands. */
export interface Block {
  /** Where it begins, as `README.md:15`. */
  readonly where: string;
  /** Its commands, without comments; one that goes on after a backslash is one. */
  readonly commands: readonly string[];
}

/** The README, and the guides by name. */
export function documents(): Document[] {
  const guides = [...Deno.readDirSync(new URL("dev/guides", ROOT))].map(({ name }) => name).sort();
  return ["README.md", ...guides.map((name) => `dev/guides/${name}`)].map(read);
}

/** Reads a document of the repository. */
export function read(path: string): Document {
  return { path, text: Deno.readTextFileSync(new URL(path, ROOT)) };
}

/** Whether the repository has a file or folder at `path`. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}

/** The blocks of shell commands, in order. */
export function blocks({ path, text }: Document): Block[] {
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => ({
    where: `${path}:${lineOf(text, match.index)}`,
    commands: match[1]!.replace(/\\\n\s*/g, "").split("\n")
      .map((line) => line.replace(/\s+#\s.*$|^#.*$/, "").trim())
      .filter(Boolean),
  }));
}

const PROGRAMS = ["npx", "deno", "claude", "gatehouse", "curl", "docker", "gh"];

/** Commands in the text itself: code that begins with a program and has something to go with it. */
export function inlineCommands({ path, text }: Document): { where: string; command: string }[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].flatMap((match) => {
    const command = match[1]!.replace(/^(?:[A-Z_]+=\S+ )+/, "");
    const [program, ...more] = command.split(" ");
    const isCommand = PROGRAMS.includes(program!) && more.length > 0;
    return isCommand ? [{ where: `${path}:${lineOf(text, match.index)}`, command }] : [];
  });
}

/** Targets of links and images. */
export function links({ text }: Document): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchors({ text }: Document): string[] {
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-")
  );
}

/** Code in the first column of every table whose first heading is `heading`. */
export function firstColumn({ text }: Document, heading: string): string[] {
  return [...text.matchAll(/^\|.*\|$(?:\n\|.*\|$)*/gm)].flatMap(([table]) => {
    const [head, , ...rows] = table.split("\n").map((row) => row.split("|")[1]!.trim());
    if (head !== heading) return [];
    return rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
  });
}

// Blocks keep their length, so that lines can be counted.
function proseOf(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, (block) => block.replace(/[^\n]/g, " "));
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
