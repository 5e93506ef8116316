/**
 * Scripts in a shell of their own, with an environment of their own, that end with whatever they
 * started.
 *
 * @module
 */

/** How long a script may take, in milliseconds: the first one downloads everything. */
const DEADLINE_MS = 600_000;

/** A script that ran, or has got as far as it was waited for. */
export interface Running extends AsyncDisposable {
  /** Everything written so far, standard output and error. */
  output(): string;
  /** Waits until the output matches. @throws {Error} When the script ends first. */
  until(pattern: RegExp): Promise<void>;
  /** Waits for the end. @throws {Error} When it does not come, or is not a good one. */
  end(): Promise<string>;
}

/** Runs `script` in `folder`, with nothing in the environment but `env`. */
export function shell(
  script: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Running {
  const child = new Deno.Command("sh", {
    args: ["-euc", script],
    cwd: folder,
    env: { ...env },
    clearEnv: true,
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let changed = Promise.withResolvers<void>();
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      changed.resolve();
      changed = Promise.withResolvers();
    }
  };
  let status: Deno.CommandStatus | undefined;
  const over = Promise.all([child.status, collect(child.stdout), collect(child.stderr)])
    .then(([ended]) => {
      status = ended;
      changed.resolve();
    });
  // All that it started is in its group.
  const signal = (name: Deno.Signal) => {
    if (!status) Deno.kill(-child.pid, name);
  };
  const timer = setTimeout(() => signal("SIGKILL"), DEADLINE_MS);
  const failure = (what: string) => new Error(`${what}\n${script}\n${output.slice(-4000)}`);
  return {
    output: () => output,
    until: async (pattern) => {
      while (!pattern.test(output)) {
        if (status) throw failure(`Cannot find ${pattern}: it ended with ${status.code}`);
        await changed.promise;
      }
    },
    end: async () => {
      await over;
      if (!status?.success) throw failure(`Cannot go on: it ended with ${status?.code}`);
      return output;
    },
    async [Symbol.asyncDispose]() {
      signal("SIGTERM");
      await over;
      clearTimeout(timer);
    },
  };
}
