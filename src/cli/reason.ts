// Every command that changes something takes a reason. The audit log gets the reason, and who called the command.

import { hostname, userInfo } from "node:os";
import type { Actor } from "../core/api/audit.ts";
import type { Option } from "./option.ts";
import type { Call, Command } from "./command.ts";

/** A command that has it changes something. */
export const REASON: Option = { name: "reason", value: "text", summary: "Why, for the audit log" };

export function changes({ options }: Command): boolean {
  return options.some(({ name }) => name === REASON.name);
}

/** Who called the command: `ada@laptop`. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** Whoever calls a command on the database may do everything. */
export function actorOf({ flags }: Pick<Call, "flags">): Actor {
  return { who: whoAmI(), role: "admin", way: "cli", reason: flags.get(REASON.name) };
}
