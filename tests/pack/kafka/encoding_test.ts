import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { ToolError } from "../../../lib/pack.ts";
import { decoded, encoded } from "../../../lib/pack/kafka/encoding.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("encoded() and decoded() bring any bytes back", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const { text, encoding, cutFrom } = encoded(bytes);
    deepEqual(decoded(text, encoding, "It"), bytes);
    equal(cutFrom, undefined);
  }));
});

Deno.test("decoded() and encoded() bring any text back", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const bytes = decoded(text, "text", "It");
    const again = encoded(bytes);
    equal(decoded(again.text, again.encoding, "It").toHex(), bytes.toHex());
    if (again.encoding === "text") equal(again.text, text);
  }));
});

Deno.test("encoded() shows the beginning of what is too long, never half a character", () => {
  const texts = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(fc.property(texts, fc.nat(60), (text, most) => {
    const bytes = bytesOf(text);
    const shown = encoded(bytes, most);
    equal(shown.cutFrom, bytes.length > most ? bytes.length : undefined);
    equal(shown.encoding, encoded(bytes).encoding);
    const back = decoded(shown.text, shown.encoding, "It");
    ok(back.length <= most || bytes.length <= most);
    ok(back.length > most - 4 || bytes.length <= most);
    deepEqual(back, bytes.slice(0, back.length));
  }));
});

Deno.test("encoded() cuts bytes to as many as may be shown", () => {
  const bytes = new Uint8Array([0, 1, 2, 3, 4]);
  deepEqual(encoded(bytes, 4), { text: "AAECAw==", encoding: "base64", cutFrom: 5 });
  deepEqual(encoded(bytes, 5), { text: "AAECAwQ=", encoding: "base64" });
});

Deno.test("encoded() judges all bytes, not only those that are shown", () => {
  deepEqual(encoded(new Uint8Array([97, 98, 255]), 2), {
    text: "YWI=",
    encoding: "base64",
    cutFrom: 3,
  });
});

const TEXTS: [what: string, bytes: number[], encoding: string][] = [
  ["nothing", [], "text"],
  ["tab and line breaks", [9, 10, 13], "text"],
  ["a byte order mark", [0xef, 0xbb, 0xbf, 97], "text"],
  ["a character of four bytes", [0xf0, 0x9f, 0x8e, 0x89], "text"],
  ["a NUL, as before Avro", [0, 0, 0, 0, 1, 97], "base64"],
  ["an escape sequence", [27, 91, 109], "base64"],
  ["a backspace", [97, 8], "base64"],
  ["DEL", [127], "base64"],
  ["a control character beyond ASCII", [0xc2, 0x85], "base64"],
  ["a cut character", [0xf0, 0x9f, 0x8e], "base64"],
  ["an overlong character", [0xc0, 0xaf], "base64"],
  ["a surrogate", [0xed, 0xa0, 0x80], "base64"],
];
for (const [what, bytes, encoding] of TEXTS) {
  Deno.test(`encoded() writes ${what} as ${encoding}`, () => {
    const shown = encoded(new Uint8Array(bytes));
    equal(shown.encoding, encoding);
    deepEqual([...decoded(shown.text, shown.encoding, "It")], bytes);
  });
}

for (const text of ["a", "a===", "====", "*", "-_-_", "é"]) {
  Deno.test(`decoded() refuses ${text} as base64, and names what it is`, () => {
    throws(() => decoded(text, "base64", "The key"), (error) => {
      ok(error instanceof ToolError);
      equal(error.message, "The key is not base64: encode it, or use encoding text");
      equal(error.reason, "bad base64");
      return true;
    });
  });
}

for (const text of ["\ud83c", "a\udf89", "\udf89\ud83c"]) {
  Deno.test(`decoded() refuses half a character: ${JSON.stringify(text)}`, () => {
    throws(() => decoded(text, "text", "The value"), /The value has half a character/);
  });
}

Deno.test("decoded() takes base64 without padding", () => {
  deepEqual([...decoded("AP8", "base64", "It")], [0, 255]);
  deepEqual([...decoded("", "base64", "It")], []);
});
