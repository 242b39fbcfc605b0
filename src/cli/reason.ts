// Every command that changes something takes a reason, and who calls it is written down.

import { hostname, userInfo } from "node:os";
import type { Actor } from "../core/api/audit.ts";
import type { Call, Command, Option } from "./command.ts";

/** A command that has it changes something. */
export const REASON: Option = { name: "reason", value: "text", summary: "Why, for the audit log" };

export function changes({ options }: Command): boolean {
  return options.some(({ name }) => name === REASON.name);
}

/** For whoever sees what was done, and wants to ask. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** Whoever calls a command on the database may do everything. */
export function actorOf({ flags }: Pick<Call, "flags">): Actor {
  return { who: whoAmI(), role: "admin", way: "cli", reason: flags.get(REASON.name) };
}
