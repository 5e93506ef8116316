import { deepStrictEqual as deepEqual, ok, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { compressionsAlgorithms } from "@platformatic/kafka";
import { decompressed, TooLarge } from "../../../lib/pack/kafka/decompress.ts";

const MOST = 16 * 1024 * 1024;
const CODECS = [["gzip", 1], ["snappy", 2], ["lz4", 3], ["zstd", 4]] as const;

// Some that shrinks and some that does not, over several blocks of each codec.
const TEXT = Buffer.from(
  Array.from({ length: 40_000 }, (_, at) => `${Math.imul(at, 0x9e3779b1)} again again `).join(""),
);

for (const [name, number] of CODECS) {
  const { compressSync } = compressionsAlgorithms[name];

  Deno.test(`${name} is undone`, () => {
    for (const text of [TEXT, Buffer.from("a"), Buffer.from("")]) {
      deepEqual(Buffer.from(decompressed(number, compressSync(text), MOST)), text);
    }
  });

  Deno.test(`${name} is undone in the middle of other bytes`, () => {
    const packed = compressSync(TEXT);
    const around = Buffer.concat([Buffer.from("before"), packed, Buffer.from("after")]);
    const view = new Uint8Array(around.buffer, around.byteOffset + 6, packed.length);
    deepEqual(Buffer.from(decompressed(number, view, MOST)), TEXT);
  });

  Deno.test(`${name} that grows beyond the bound is refused`, () => {
    const bomb = compressSync(Buffer.alloc(8 * 1024 * 1024));
    throws(() => decompressed(number, bomb, 1024 * 1024), TooLarge);
  });

  Deno.test(`${name} that is cut off or damaged never yields the text`, () => {
    const packed = compressSync(TEXT);
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, packed.length / 2);
    for (const bytes of [packed.subarray(0, packed.length / 2), damaged, Buffer.from("no")]) {
      let got: Uint8Array | undefined;
      try {
        got = decompressed(number, bytes, MOST);
      } catch (error) {
        ok(error instanceof Error, String(error));
      }
      ok(!got || !TEXT.equals(got));
    }
  });
}

Deno.test("snappy in the blocks of Java's client is undone, and bounded", () => {
  const block = compressionsAlgorithms.snappy.compressSync(TEXT.subarray(0, 30_000));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const packed = Buffer.concat([header, length, block, length, block]);
  const twice = Buffer.concat([TEXT.subarray(0, 30_000), TEXT.subarray(0, 30_000)]);
  deepEqual(Buffer.from(decompressed(2, packed, 60_000)), twice);
  throws(() => decompressed(2, packed, 59_999), TooLarge);
});

Deno.test("a length of snappy that cannot be is refused before anything is held", () => {
  throws(() => decompressed(2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), 1024), TooLarge);
  throws(() => decompressed(2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1024), TooLarge);
});

Deno.test("an unknown codec is refused", () => {
  throws(() => decompressed(5, Buffer.from(""), 1), { message: /codec 5 is unknown/ });
});
