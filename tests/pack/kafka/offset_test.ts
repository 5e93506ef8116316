import { strictEqual as equal, throws } from "node:assert/strict";
import { numberOrNull, offsetNumber } from "../../../lib/pack/kafka/offset.ts";

Deno.test("offsetNumber() makes numbers of offsets that a number holds", () => {
  equal(offsetNumber(0n), 0);
  equal(offsetNumber(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER);
});

for (const offset of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 53n)]) {
  Deno.test(`offsetNumber() does not round ${offset}`, () => {
    throws(() => offsetNumber(offset), /^RangeError: Cannot tell an offset beyond/);
  });
}

Deno.test("numberOrNull() tells 0 and none apart", () => {
  equal(numberOrNull(0n), 0);
  equal(numberOrNull(undefined), null);
});
