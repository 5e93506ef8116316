/**
 * Software of others that tests run, fetched once and kept in the user's cache.
 *
 * @module
 */

/** Something that is kept, and how it is made. */
export interface Cached {
  /** As people call it. */
  readonly software: string;
  /** Of the folder that is kept; has the version in it. */
  readonly name: string;
  /** Makes the folder below `staging`. @returns Its path. */
  readonly make: (staging: string) => Promise<string>;
}

/**
 * The folder that is kept; made when there is none.
 *
 * @throws {Error} When it cannot be made, or nobody said where to keep it.
 */
export async function cached({ software, name, make }: Cached): Promise<string> {
  const cache = `${cacheFolder(software)}/gatehouse`;
  const home = `${cache}/${name}`;
  if (await exists(home)) return home;
  await Deno.mkdir(cache, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: cache });
  try {
    await Deno.rename(await make(staging), home).catch(async (error) => {
      // Another run may have been faster.
      if (!await exists(home)) throw error;
    });
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
  return home;
}

/** Whether there is such a file or folder. */
export function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** Runs a command that helps to get `software`. @throws {Error} With what it said, when it fails. */
export async function run(
  software: string,
  command: string,
  options: Pick<Deno.CommandOptions, "args" | "cwd" | "env">,
): Promise<void> {
  const output = await new Deno.Command(command, { ...options, stdin: "null" }).output()
    .catch((error) => {
      throw new Error(`Cannot run ${command}: ${error.message}`, { cause: error });
    });
  if (output.success) return;
  const decoder = new TextDecoder();
  const said = decoder.decode(output.stdout) + decoder.decode(output.stderr);
  throw new Error(`Cannot get ${software}: ${command} ended with ${output.code}\n${said}`);
}

function cacheFolder(software: string): string {
  const { XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  if (HOME) return `${HOME}/.cache`;
  throw new Error(`Cannot tell where to keep ${software}: set HOME or XDG_CACHE_HOME`);
}
