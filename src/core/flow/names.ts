import { TaskonautError } from "../errors.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/** Flows with such names come with the engine: tasks of them are made by what they stand for. */
export function isReserved(flowName: string): boolean {
  return flowName.startsWith("taskonaut.");
}

type Named = "tool" | "flow" | "step" | "signal" | "limit" | "schedule";

/** Names are recorded, shown and typed: one plain form for all of them. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

/** What to say of a name that is none, without a full stop. */
export function tellWrongName(what: Named, name: unknown): string {
  const given = typeof name === "string" ? JSON.stringify(name) : String(name);
  return `${given} is not a valid name for a ${what}; use a letter, then letters, digits, "_", "-" or ".", at most 100 characters`;
}

/** Throws flow_invalid. */
export function checkName(what: Named, name: unknown): void {
  if (!isName(name)) throw new TaskonautError("flow_invalid", `${tellWrongName(what, name)}.`);
}
