import { strictEqual as equal } from "node:assert/strict";
import { withSettings } from "../dev/readme.ts";

Deno.test("README lists every setting as the program knows it (deno task readme mends it)", () => {
  const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
  const words = (text: string) => text.replace(/-{3,}/g, "---").split(/\s+/);
  equal(words(withSettings(readme)).join(" "), words(readme).join(" "));
});
