/**
 * Finds the client whose id is the first argument, as the program on loopback would, and prints
 * what it found.
 *
 * @module
 */

import { pinned, resolve } from "../../lib/cli/pinned.ts";
import { documents } from "../../lib/proxy/documents.ts";
import { readClientMetadata } from "../../lib/proxy/metadata.ts";
import { redirectPolicy } from "../../lib/proxy/redirect.ts";

const redirects = redirectPolicy([], "http://localhost:8080/oauth/callback");
const { find } = documents({
  allowLoopback: Deno.args[1] === "loopback",
  read: (value, document) => readClientMetadata(value, { redirects, document }),
}, { now: () => 0, resolve, fetchAt: pinned(Deno) });
const found = await find(Deno.args[0]!);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(found)));
