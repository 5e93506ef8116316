/**
 * What there is in a Prometheus: metrics, and their labels.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { path, type Query } from "./api.ts";
import { truncated } from "../cut.ts";
import { datasourceUid } from "./datasource.ts";
import { items as listOf, members } from "./items.ts";
import { listing } from "../listing.ts";
import type { OpenPrometheus } from "./prometheus_api.ts";
import { labelSegment, namesLike, selector, selectors } from "./prometheus_selector.ts";
import { time, timeMs } from "../time.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

const LONGEST_HELP = 500;

const times = { startRfc3339: time.optional(), endRfc3339: time.optional() };
type Times = z.infer<z.ZodObject<typeof times>>;

const limited = (usual: number) => z.number().int().min(1).max(1000).default(usual);
const strings = z.array(z.string());
const texts = listOf(z.string());
const metadata = members(
  listOf(z.object({ type: z.string(), help: z.string(), unit: z.string().optional() })),
);
const hint = z.string().optional();

/** The tools. @param now Unix seconds. */
export function prometheusLists(open: OpenPrometheus, now: () => number): Tool[] {
  const within = ({ startRfc3339: start, endRfc3339: end }: Times): Query => ({
    ...(start !== undefined && { start: timeMs(start, now()) / 1000 }),
    ...(end !== undefined && { end: timeMs(end, now(), "end") / 1000 }),
  });
  return [
    tool({
      name: "list_prometheus_metric_names",
      title: "List metrics",
      description: "Lists names of metrics in Prometheus.",
      annotations: reads,
      input: z.strictObject({
        datasourceUid,
        regex: z.string().max(1000).default("").describe("RE2, found anywhere in the name"),
        limit: limited(10),
        page: z.number().int().min(1).max(1e6).default(1),
        ...times,
      }),
      output: z.object({ metrics: strings, total: z.number(), hasMore: z.boolean(), hint }),
      async run({ datasourceUid, regex, limit, page, ...times }, context) {
        const names = await (await open(datasourceUid, context)).get(
          "/label/__name__/values",
          { ...within(times), ...(regex && { "match[]": namesLike(regex) }) },
          texts,
        );
        const metrics = names.slice((page - 1) * limit, page * limit);
        const hasMore = page * limit < names.length;
        return { metrics, total: names.length, hasMore, ...hintFor(names) };
      },
    }),
    tool({
      name: "list_prometheus_metric_metadata",
      title: "Describe metrics",
      description: "Tells type, help and unit of metrics in Prometheus.",
      annotations: reads,
      input: z.strictObject({
        datasourceUid,
        metric: z.string().max(500).optional(),
        limit: limited(10).describe("Of metrics"),
        limitPerMetric: z.number().int().min(1).max(100).optional(),
      }),
      output: z.object({
        metadata: z.looseObject({}).describe("By metric: type, help, unit"),
        hint,
        truncated,
      }),
      async run({ datasourceUid, metric, limit, limitPerMetric }, context) {
        const got = await (await open(datasourceUid, context)).get("/metadata", {
          metric,
          // One more tells whether there are more.
          limit: limit + 1,
          limit_per_metric: limitPerMetric,
        }, metadata);
        const entries = Object.entries(got);
        const { items } = listing(
          entries.map(([name, all]) => [name, all.map(shortened)] as const),
          limit,
          "",
        );
        const hasMore = entries.length > items.length;
        return {
          metadata: Object.fromEntries(items),
          ...(hasMore && { truncated: "There are more: raise limit, or name one metric" }),
          ...hintFor(items),
        };
      },
    }),
    tool({
      name: "list_prometheus_label_names",
      title: "List metric labels",
      description: "Lists names of labels in Prometheus.",
      annotations: reads,
      input: z.strictObject({ datasourceUid, matches: selectors, limit: limited(100), ...times }),
      output: z.object({ labels: strings, hint, truncated }),
      async run({ datasourceUid, matches, limit, ...times }, context) {
        const query = { ...within(times), "match[]": matches.map(selector) };
        const labels = await (await open(datasourceUid, context)).get("/labels", query, texts);
        const { items, ...cut } = listing(labels, limit, "raise limit, or narrow with matches");
        return { labels: items, ...cut, ...hintFor(items) };
      },
    }),
    tool({
      name: "list_prometheus_label_values",
      title: "List label values",
      description: "Lists values of a label in Prometheus.",
      annotations: reads,
      input: z.strictObject({
        datasourceUid,
        labelName: z.string().min(1).max(500),
        matches: selectors,
        limit: limited(100),
        ...times,
      }),
      output: z.object({ values: strings, hint, truncated }),
      async run({ datasourceUid, labelName, matches, limit, ...times }, context) {
        const query = { ...within(times), "match[]": matches.map(selector) };
        const values = await (await open(datasourceUid, context))
          .get(path`/label/${labelSegment(labelName)}/values`, query, texts);
        const { items, ...cut } = listing(values, limit, "raise limit, or narrow with matches");
        return { values: items, ...cut, ...hintFor(items) };
      },
    }),
  ];
}

function shortened<T extends { readonly help: string }>(entry: T): T {
  return { ...entry, help: entry.help.slice(0, LONGEST_HELP) };
}

function hintFor(items: readonly unknown[]): { hint?: string } {
  return items.length > 0 ? {} : { hint: "There is none. Take fewer conditions or another time" };
}
