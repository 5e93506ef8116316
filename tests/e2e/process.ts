/**
 * A child process whose output is kept, that can be waited for, and that never outlives its test.
 *
 * @module
 */

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process. Disposing kills it when it has not ended. */
export interface Process extends AsyncDisposable {
  readonly pid: number;
  /** Everything written so far. */
  stdout(): string;
  /** Everything written so far. */
  stderr(): string;
  /** Writes to standard input. */
  write(text: string): Promise<void>;
  /** Ends standard input. */
  closeInput(): Promise<void>;
  /** Stops reading standard output, as a client does that goes away. */
  leaveOutput(): Promise<void>;
  /** Sends a signal; does nothing once the process has ended. */
  kill(signal: Deno.Signal): void;
  /** Waits until what was written so far matches. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits for the end. @throws {Error} When it does not come in time. */
  end(deadlineMs: number): Promise<Ended>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
}

const UNTIL_MS = 15_000;

// What a process needs to run at all, and Deno to find what it has downloaded.
const INHERITED = ["PATH", "HOME", "DENO_DIR", "DENO_TLS_CA_STORE", "TMPDIR", "XDG_CACHE_HOME"];

/** The part of the environment that a process gets in any case. */
export function inherited(): Record<string, string> {
  const present = INHERITED.map((name) => [name, Deno.env.get(name)]);
  return Object.fromEntries(present.filter(([, value]) => value !== undefined));
}

/**
 * Starts a process with a clean environment.
 *
 * @param alone A folder to run in, which is its home then, with nothing inherited but `PATH`.
 */
export function spawn(
  [file, ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  alone?: string,
): Process {
  const { PATH = "", ...others } = inherited();
  const child = new Deno.Command(file!, {
    args,
    env: { PATH, ...(alone === undefined ? others : { HOME: alone }), ...env },
    ...(alone !== undefined && { cwd: alone }),
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const input = child.stdin.getWriter();
  let inputClosed = false;
  const closeInput = async () => {
    if (inputClosed) return;
    inputClosed = true;
    // The reader may be gone already.
    await input.close().catch(() => {});
  };
  let over = false;
  const ended = (async () => {
    const { code, signal } = await child.status;
    over = true;
    await Promise.all([stdout.end, stderr.end, closeInput()]);
    return { code, signal, stdout: stdout.text(), stderr: stderr.text() };
  })();
  const kill = (signal: Deno.Signal) => {
    if (!over) child.kill(signal);
  };
  return {
    pid: child.pid,
    stdout: stdout.text,
    stderr: stderr.text,
    write: (text) => within(UNTIL_MS, input.write(new TextEncoder().encode(text))),
    closeInput,
    leaveOutput: stdout.leave,
    kill,
    until: async (stream, pattern) => {
      const source = stream === "stdout" ? stdout : stderr;
      const failed = () => `${pattern} in ${stream}:\n${stdout.text()}\n${stderr.text()}`;
      return await within(UNTIL_MS, source.until(pattern), failed);
    },
    end: (deadlineMs) => within(deadlineMs, ended, () => `the end:\n${stderr.text()}`),
    ended,
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await ended;
    },
  };
}

/** Waits for `promise`, but not for ever. @throws {Error} When it takes too long. */
export async function within<T>(
  deadlineMs: number,
  promise: Promise<T>,
  what: () => string = () => "an answer",
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Cannot wait longer than ${deadlineMs} ms for ${what()}`)),
    deadlineMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

interface Collected {
  text(): string;
  until(pattern: RegExp): Promise<RegExpExecArray>;
  leave(): Promise<void>;
  readonly end: Promise<void>;
}

function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Collected {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let news = Promise.withResolvers<void>();
  let over = false;
  const end = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += decoder.decode(read.value, { stream: true });
      news.resolve();
      news = Promise.withResolvers();
    }
    over = true;
    news.resolve();
  })();
  return {
    text: () => text,
    end,
    leave: () => reader.cancel(),
    until: async (pattern) => {
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found;
        if (over) throw new Error(`Cannot find ${pattern} in:\n${text}`);
        await news.promise;
      }
    },
  };
}
