/**
 * A host of which a test lends only what it names; the rest refuses, or is nothing.
 *
 * @module
 */

import type { Host } from "../../lib/cli/host.ts";
import { UNTRACED } from "../../lib/spans.ts";
import { NOW } from "../fakes.ts";

/** A host, and what was written to it. */
export interface TestHost extends Host {
  /** Everything that was written so far. */
  written(): { readonly out: string; readonly err: string };
}

const refused = (what: string) => () =>
  Promise.reject(new TypeError(`Cannot ${what} in this test`));

/** Makes a host that has been told to stop. */
export function testHost(rest: Partial<Host> = {}): TestHost {
  let [out, err] = ["", ""];
  const nowhere = () => {
    throw new Error("Cannot serve in this test");
  };
  return {
    now: () => NOW,
    wallMs: () => NOW * 1000,
    elapsedMs: () => 0,
    random: (length) => new Uint8Array(length),
    fetch: refused("fetch"),
    fetchWith: () => refused("fetch"),
    resolve: refused("resolve names"),
    fetchAt: refused("fetch"),
    env: {},
    runtime: {},
    readFile: () => "",
    append: refused("write"),
    open: refused("read"),
    memory: () => ({ rss: 0, heapUsed: 0 }),
    linesDropped: () => 0,
    spans: UNTRACED,
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    terminal: false,
    stop: AbortSignal.abort(),
    listen: nowhere,
    listenTls: nowhere,
    ...rest,
    written: () => ({ out, err }),
  };
}
