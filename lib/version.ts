import manifest from "../deno.json" with { type: "json" };

/** Version of this program, as `deno.json` names it. */
export const VERSION: string = manifest.version;
