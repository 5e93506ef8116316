/**
 * Doing what a pack offers, for one caller: its context, its outcome in the log, its failures in
 * words for the caller.
 *
 * @module
 */

import { ProtocolError, ProtocolErrorCode, type ServerContext } from "@modelcontextprotocol/server";
import type { z } from "zod";
import { UNREADY } from "../audit.ts";
import { whoOf } from "../identity.ts";
import { type ToolContext, ToolError } from "../pack.ts";
import type { CallOutcome } from "../meter.ts";
import type { Fields, Ports } from "../ports.ts";
import { type Caller, callerOf } from "./caller.ts";

/** What is asked of a pack, by the name that the pack gave it. */
export interface Asked {
  readonly kind: "tool" | "resource" | "prompt";
  /** The URI, for a resource. */
  readonly name: string;
}

/** What came of it: a value, or words for the caller. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | {
    readonly ok: false;
    readonly reason: "bad arguments" | "refused" | "failed";
    readonly text: string;
  };

/** What the work is given. */
interface Given<Input extends z.ZodObject> {
  readonly input: Input;
  readonly args: unknown;
  readonly context: ServerContext;
}

/** How the work is done, once the arguments are known to fit. */
type Run<Input extends z.ZodObject, Value> = (
  args: z.infer<Input>,
  context: ToolContext,
) => Promise<Value>;

/**
 * Does the work that `asked` names, if its arguments fit. What `run` throws becomes words, so whatever
 * can fail belongs in it.
 */
export type Work = <Input extends z.ZodObject, Value>(
  asked: Asked,
  given: Given<Input>,
  run: Run<Input, Value>,
) => Promise<Outcome<Value>>;

/** What doing the work needs of the host. */
export type WorkPorts = Pick<Ports, "audit" | "meter" | "spans" | "elapsedMs">;

/** Prepares the work. @param direct The caller where the transport names none, as on stdio. */
export function worker(direct: Caller, ports: WorkPorts): Work {
  const { audit, meter, spans, elapsedMs } = ports;
  const attempt = async <Input extends z.ZodObject, Value>(
    { kind, name }: Asked,
    { input, args, context }: Given<Input>,
    run: Run<Input, Value>,
    tell: (facts: { outcome: CallOutcome }) => void,
  ): Promise<Outcome<Value>> => {
    const caller = callerOf(context) ?? direct;
    const { trace, identity } = caller;
    const asked = { [kind]: name };
    // Whoever is cut off has asked all the same.
    trace.note(asked);
    const started = elapsedMs();
    const note = (outcome: CallOutcome, facts?: Fields) => {
      const ms = elapsedMs() - started;
      // On stdio no request has a line of its own.
      if (caller === direct) trace.log("info", "call", { ...asked, outcome, ...facts });
      else trace.note({ ...asked, outcome, ...facts });
      meter.called(kind, name, outcome, ms / 1000);
      tell({ outcome });
      return Math.round(ms * 10) / 10;
    };
    const end = (outcome: CallOutcome, facts?: Fields) => {
      const ms = note(outcome, facts);
      trace.audit("call", { ...whoOf(identity), kind, name, outcome, ...facts, ms });
    };
    if (!audit.ready()) {
      note("failed", { reason: "not audited" });
      return { ok: false, reason: "failed", text: `${UNREADY}. Try again in a minute` };
    }
    try {
      const parsed = input.safeParse(args);
      if (!parsed.success) {
        end("bad arguments");
        const text = `Cannot call ${name}: ${explain(parsed.error)}`;
        return { ok: false, reason: "bad arguments", text };
      }
      const value = await run(parsed.data as z.infer<typeof input>, contextFor(caller, context));
      end("ok");
      return { ok: true, value };
    } catch (error) {
      if (error instanceof ToolError) {
        end("refused", { reason: error.reason });
        return { ok: false, reason: "refused", text: error.message };
      }
      const givenUp = context.mcpReq.signal.aborted;
      end(givenUp ? "given up" : "failed");
      if (!givenUp) trace.log("error", `${kind} failed`, { ...asked, error: textOf(error) });
      const text = `${name} failed; the server's log tells why under request ${trace.id}`;
      return { ok: false, reason: "failed", text };
    }
  };
  return (asked, given, run) =>
    spans.run(
      `call ${asked.kind}`,
      { kind: asked.kind, name: asked.name },
      (tell) => attempt(asked, given, run, tell),
    );
}

/** The value, for methods whose failures are errors of the protocol. */
export function valueOf<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { InvalidParams, InternalError } = ProtocolErrorCode;
  const code = outcome.reason === "bad arguments" ? InvalidParams : InternalError;
  throw new ProtocolError(code, outcome.text);
}

// The message of an error can be too long to be made.
function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "an error that cannot be told";
  }
}

function contextFor({ identity, trace }: Caller, context: ServerContext): ToolContext {
  const { signal, _meta, notify } = context.mcpReq;
  return {
    identity,
    signal,
    log: (level, event, fields) => trace.log(level, event, fields),
    progress: async (progress, total, message) => {
      const progressToken = _meta?.progressToken;
      if (progressToken === undefined) return;
      const facts = { ...(total !== undefined && { total }), ...(message && { message }) };
      await notify({
        method: "notifications/progress",
        params: { progressToken, progress, ...facts },
      });
    },
  };
}

// Names the place and the expectation; the value itself stays with the caller.
function explain(error: z.ZodError): string {
  return error.issues.slice(0, 5).map(({ path, code, message }) => {
    const place = path.length > 0 ? `argument "${path.join(".")}"` : "arguments";
    return code === "unrecognized_keys" ? `${place} have unknown names` : `${place}: ${message}`;
  }).join("; ");
}
