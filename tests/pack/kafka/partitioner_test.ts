import { strictEqual as equal } from "node:assert/strict";
import { murmur2, partitionOf } from "../../../lib/pack/kafka/partitioner.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

// The vectors of Kafka's own test of its hash.
const VECTORS: readonly [string, number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

Deno.test("murmur2 hashes as Java's client does", () => {
  for (const [text, hash] of VECTORS) equal(murmur2(bytes(text)), hash, text);
});

Deno.test("murmur2 hashes a view by its own bytes", () => {
  equal(murmur2(bytes("xxfoobar").subarray(2)), murmur2(bytes("foobar")));
});

Deno.test("a negative hash leads to the partition that Java's client chooses", () => {
  equal(partitionOf(bytes("21"), 7), (-973932308 & 0x7fffffff) % 7);
  equal(partitionOf(bytes(""), 1), 0);
});

Deno.test("a key of megabytes is hashed as fast as it is read", () => {
  const long = new Uint8Array(8 * 1024 * 1024).fill(7);
  equal(partitionOf(long, 1), 0);
});
