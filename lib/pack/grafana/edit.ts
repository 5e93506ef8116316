/**
 * Changing parts of a JSON document by operations, each at a path that names one place.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";

/** One change. */
export interface Edit {
  readonly op: "add" | "replace" | "remove";
  /** `$.panels[0].title`; `$.panels/-` stands for the place after the last item. */
  readonly path: string;
  readonly value?: unknown;
}

type Step = string | number;

/** The place after the last item of a list. */
const END = -1;

const STEP =
  /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\['([^'\\]{1,200})'\]|\["([^"\\]{1,200})"\]|(\/-)$/g;

/**
 * Applies changes to a copy of `document`, in order.
 *
 * @throws {ToolError} When a path cannot be read or leads nowhere.
 */
export function edited<T>(document: T, edits: readonly Edit[]): T {
  const copy = structuredClone(document);
  for (const edit of edits) apply(copy, edit);
  return copy;
}

function apply(document: unknown, { op, path, value }: Edit): void {
  if (op !== "remove" && value === undefined) {
    throw new ToolError(`To ${op} at "${path}" needs a value`, "bad arguments");
  }
  const steps = stepsOf(path);
  const last = steps.pop();
  if (last === undefined) throw nowhere(path);
  let place: unknown = document;
  for (const step of steps) {
    place = (Object(place) as Record<Step, unknown>)[ownStep(place, step, path)];
  }
  if (Array.isArray(place)) applyToList(place, last, { op, path, value });
  else applyToObject(place, last, { op, path, value });
}

function applyToList(list: unknown[], step: Step, { op, path, value }: Edit): void {
  if (step === END && op === "add") {
    list.push(value);
    return;
  }
  const most = op === "add" ? list.length : list.length - 1;
  if (typeof step !== "number" || step === END || step > most) throw nowhere(path);
  if (op === "remove") list.splice(step, 1);
  else list.splice(step, op === "add" ? 0 : 1, value);
}

function applyToObject(place: unknown, step: Step, { op, path, value }: Edit): void {
  if (typeof place !== "object" || place === null || typeof step !== "string") throw nowhere(path);
  const members = place as Record<string, unknown>;
  if (op !== "add" && !Object.hasOwn(members, step)) throw nowhere(path);
  if (op === "remove") delete members[step];
  else Object.defineProperty(members, step, DATA(value));
}

// Assigning to `__proto__` would change what the object is.
const DATA = (value: unknown) => ({ value, writable: true, enumerable: true, configurable: true });

function ownStep(place: unknown, step: Step, path: string): Step {
  if (typeof place !== "object" || place === null || !Object.hasOwn(place, step)) {
    throw nowhere(path);
  }
  return step;
}

function stepsOf(path: string): Step[] {
  if (!path.startsWith("$")) throw unreadable(path);
  const matches = [...path.slice(1).matchAll(STEP)];
  if (matches.map(([text]) => text).join("") !== path.slice(1)) throw unreadable(path);
  return matches.map(([, name, index, single, double, end]) =>
    index !== undefined ? Number(index) : end ? END : name ?? single ?? double!
  );
}

function unreadable(path: string): ToolError {
  return new ToolError(
    `The path "${path}" cannot be read: write one place, as $.panels[0].title or $.panels/-`,
    "bad path",
  );
}

function nowhere(path: string): ToolError {
  return new ToolError(
    `There is nothing at "${path}". See get_dashboard_property`,
    "no such place",
  );
}
