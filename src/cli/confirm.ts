// A yes-or-no question for a person at a terminal, before something that cannot be undone.

import { TaskonautError } from "../core/errors.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

/**
 * Resolves if the answer is yes, or if `--yes` was given. Throws usage if nobody can be asked. Throws cancelled, with the
 * message `otherwise`, if the answer is no.
 */
export async function confirm(
  { io, flags }: Pick<Call, "io" | "flags">,
  message: string,
  otherwise: string,
): Promise<void> {
  if (flags.has("yes")) return;
  if (!io.stdinIsTTY || !io.stderr.isTTY) {
    throw usageError([{ path: "--yes", message: "is missing, and nobody can be asked here; --dry-run only shows" }]);
  }
  const clack = await import("@clack/prompts");
  const answer = await clack.confirm({ ...io.openTerminal(), message, initialValue: false });
  if (answer !== true) throw new TaskonautError("cancelled", otherwise);
}
