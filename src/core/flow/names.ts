import { TaskonautError } from "../errors.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/** Names are recorded, shown and typed: one plain form for all of them. Throws flow_invalid. */
export function checkName(what: "tool" | "flow" | "step" | "signal", name: unknown): void {
  if (typeof name === "string" && NAME.test(name)) return;
  throw new TaskonautError(
    "flow_invalid",
    `${JSON.stringify(name)} is no name for a ${what}: a letter, then letters, digits, "_", "-" or ".", at most 100 characters.`,
  );
}
