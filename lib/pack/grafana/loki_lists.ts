/**
 * What there is in a Loki: labels, and how much is logged under them.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { path } from "./api.ts";
import { truncated } from "../cut.ts";
import { datasourceUid } from "./datasource.ts";
import { items as listOf } from "./items.ts";
import { listing } from "../listing.ts";
import { nanoseconds, type OpenLoki } from "./loki_api.ts";
import { readSpan, type Span, spanText } from "./span.ts";
import { time } from "../time.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** Most names or values of one call. */
export const MAX_LISTED = 1000;

const times = { startRfc3339: time.optional(), endRfc3339: time.default("now") };
type Times = z.infer<z.ZodObject<typeof times>>;

const strings = z.array(z.string());
const hint = z.string().optional();

// Loki leaves data out when there is none.
const listed = z.object({ status: z.literal("success"), data: listOf(z.string()).nullish() });
const stats = z.object({
  streams: z.number(),
  chunks: z.number(),
  entries: z.number(),
  bytes: z.number(),
});

/** The tools. @param now Unix seconds. */
export function lokiLists(open: OpenLoki, now: () => number): Tool[] {
  const within = ({ startRfc3339, endRfc3339 }: Times) => {
    const span = readSpan(startRfc3339, endRfc3339, now());
    return { span, query: { start: nanoseconds(span.from), end: nanoseconds(span.to) } };
  };
  return [
    tool({
      name: "list_loki_label_names",
      title: "List log labels",
      description: "Lists names of labels in Loki, of the last hour or a given time.",
      annotations: reads,
      input: z.strictObject({ datasourceUid, ...times }),
      output: z.object({ labels: strings, hint, truncated }),
      async run({ datasourceUid, ...times }, context) {
        const { span, query } = within(times);
        const { data } = await (await open(datasourceUid, context)).get("/labels", query, listed);
        const { items, ...cut } = listing(data ?? [], MAX_LISTED, "take a shorter time range");
        return { labels: items, ...cut, ...hintFor(items.length, span) };
      },
    }),
    tool({
      name: "list_loki_label_values",
      title: "List log label values",
      description: "Lists values of a label in Loki, of the last hour or a given time.",
      annotations: reads,
      input: z.strictObject({
        datasourceUid,
        labelName: z.string().max(500).regex(/^[a-zA-Z_]\w*$/),
        ...times,
      }),
      output: z.object({ values: strings, hint, truncated }),
      async run({ datasourceUid, labelName, ...times }, context) {
        const { span, query } = within(times);
        const { data } = await (await open(datasourceUid, context))
          .get(path`/label/${labelName}/values`, query, listed);
        const { items, ...cut } = listing(data ?? [], MAX_LISTED, "take a shorter time range");
        return { values: items, ...cut, ...hintFor(items.length, span) };
      },
    }),
    tool({
      name: "query_loki_stats",
      title: "Size of logs",
      description: "Tells roughly how much a Loki query would read: streams, chunks, entries " +
        "and bytes under a selector, of the last hour or a given time.",
      annotations: reads,
      input: z.strictObject({
        datasourceUid,
        logql: z.string().min(1).max(10_000).describe('Only a selector: {app="x"}'),
        ...times,
      }),
      output: stats.extend({ hint }),
      async run({ datasourceUid, logql, ...times }, context) {
        const { span, query } = within(times);
        const found = await (await open(datasourceUid, context))
          .get("/index/stats", { query: logql, ...query }, stats);
        return { ...found, ...hintFor(found.streams, span) };
      },
    }),
  ];
}

function hintFor(count: number, span: Span): { hint?: string } {
  return count > 0 ? {} : { hint: `There is none ${spanText(span)}: take another time` };
}
