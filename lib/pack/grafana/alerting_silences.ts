/**
 * Silences: alerts whose labels match are not told of for a while.
 *
 * @module
 */

import { z } from "zod";
import type { Identity } from "../../identity.ts";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { needing, type With } from "./alerting_needs.ts";
import { judge } from "./answer.ts";
import { type GrafanaApi, path } from "./api.ts";
import { truncated } from "../cut.ts";
import type { Grafana } from "./grafana.ts";
import { items as listOf, shaped } from "./items.ts";
import { listing } from "../listing.ts";
import { TIME_HELP, timeMs } from "../time.ts";

const ROOT = "/api/alertmanager/grafana/api/v2";

const MOST_SILENCES = 100;

// Those that matter come first.
const STATES = ["active", "pending", "expired"];

const matcher = z.strictObject({
  name: z.string().min(1).max(500),
  value: z.string().max(5000),
  isRegex: z.boolean().default(false),
  isEqual: z.boolean().default(true),
});

const silence = z.looseObject({
  id: z.string(),
  status: z.looseObject({ state: z.string() }),
  startsAt: z.string().optional(),
});

const reading = {
  operation: z.enum(["list", "get"]),
  silence_id: z.string().max(200).optional(),
  rule_uid: z.string().max(200).optional().describe("list: silences of this alert rule"),
  matchers: z.array(matcher).max(50).optional(),
};

const writing = z.strictObject({
  ...reading,
  operation: z.enum(["list", "get", "create", "update", "delete"])
    .describe("update needs everything; with other matchers or starts_at the id changes"),
  starts_at: z.string().max(64).optional().describe(TIME_HELP),
  ends_at: z.string().max(64).optional(),
  comment: z.string().max(2000).optional(),
  created_by: z.string().max(200).optional().describe("You when absent"),
});

type Args = z.infer<typeof writing>;

/** The tool. */
export function alertingSilences({ api, readOnly, now }: Grafana): Tool[] {
  return [tool({
    name: "alerting_manage_silences",
    title: "Manage silences",
    description: readOnly
      ? "Reads silences, which mute alerts by labels for a time."
      : "Reads and writes silences, which mute alerts by labels for a time.",
    annotations: {
      readOnlyHint: readOnly,
      destructiveHint: !readOnly,
      idempotentHint: readOnly,
      openWorldHint: false,
    },
    // What reads only has the rest as little as arguments that were left out.
    input: readOnly ? z.strictObject(reading) as unknown as typeof writing : writing,
    output: z.object({
      silences: z.array(z.looseObject({})).optional(),
      silence: z.looseObject({}).optional(),
      silence_id: z.string().optional(),
      deleted: z.string().optional(),
      hint: z.string().optional(),
      truncated,
    }),
    async run(args, context) {
      const grafana = api(context);
      switch (args.operation) {
        case "list":
          return await list(grafana, args);
        case "get":
          return { silence: await get(grafana, needing(args, "silence_id")) };
        case "create":
          refuseForeign(args, "silence_id", "rule_uid");
          return await save(grafana, args, now(), context.identity);
        case "update":
          refuseForeign(args, "rule_uid");
          return await save(grafana, needing(args, "silence_id"), now(), context.identity);
        case "delete":
          return await expire(grafana, needing(args, "silence_id"));
      }
    },
  })];
}

async function list(api: GrafanaApi, { rule_uid, matchers = [] }: Args) {
  const ofRule = rule_uid ? [matcher.parse({ name: "__alert_rule_uid__", value: rule_uid })] : [];
  const got = await api.json({
    path: `${ROOT}/silences`,
    query: { filter: [...ofRule, ...matchers].map(filterOf) },
  });
  const rank = (one: z.infer<typeof silence>) => STATES.indexOf(one.status.state);
  const sorted = shaped(listOf(silence), got).sort((a, b) => rank(a) - rank(b));
  const { items, truncated } = listing(sorted, MOST_SILENCES, "filter by rule_uid or matchers");
  return {
    silences: items,
    ...(items.length === 0 && { hint: "No silence matches" }),
    ...(truncated && { truncated }),
  };
}

async function get(api: GrafanaApi, { silence_id }: With<Args, "silence_id">) {
  return shaped(silence, await api.json({ path: `${ROOT}${path`/silence/${silence_id}`}` }));
}

async function save(api: GrafanaApi, args: Args, now: number, identity: Identity | undefined) {
  const given = needing(args, "matchers", "starts_at", "ends_at", "comment");
  const startsAt = timeMs(given.starts_at, now);
  const endsAt = timeMs(given.ends_at, now, "end");
  if (endsAt <= Math.max(startsAt, now * 1000)) {
    throw new ToolError(
      "ends_at is not after starts_at and now. To end a silence early, delete it",
      "silence without time",
    );
  }
  const id = args.silence_id || undefined;
  const saved = await api.json<{ readonly silenceID: string }>({
    method: "POST",
    path: `${ROOT}/silences`,
    body: {
      ...(id && { id }),
      matchers: given.matchers,
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(endsAt).toISOString(),
      comment: given.comment,
      createdBy: args.created_by || identity?.username || "gatehouse",
    },
  });
  const isReplaced = id !== undefined && saved.silenceID !== id;
  return {
    silence_id: saved.silenceID,
    ...(isReplaced && { hint: `Replaces ${id}, which is expired` }),
  };
}

async function expire(api: GrafanaApi, { silence_id }: With<Args, "silence_id">) {
  const request = {
    method: "DELETE",
    path: `${ROOT}${path`/silence/${silence_id}`}`,
  } as const;
  judge(await api.fetch(request), request);
  return { deleted: silence_id };
}

// Passed over, it would make a silence of something else than was meant.
function refuseForeign(args: Args, ...names: readonly ("silence_id" | "rule_uid")[]): void {
  const name = names.find((name) => args[name]);
  if (!name) return;
  throw new ToolError(
    name === "silence_id"
      ? 'The operation "create" takes no silence_id. Use update'
      : `The operation "${args.operation}" takes no rule_uid. Use a matcher named __alert_rule_uid__`,
    "argument of another operation",
  );
}

function filterOf({ name, value, isRegex, isEqual }: z.infer<typeof matcher>): string {
  const sign = `${isEqual ? "" : "!"}${isRegex ? "~" : ""}`;
  const type = { "": "=", "!": "!=", "~": "=~", "!~": "!~" }[sign];
  const label = /^[a-zA-Z_]\w*$/.test(name) ? name : JSON.stringify(name);
  return `${label}${type}${JSON.stringify(value)}`;
}
