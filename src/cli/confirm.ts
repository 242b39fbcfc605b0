// A question with yes or no for a person at a terminal, before what cannot be taken back.

import { TaskonautError } from "../core/errors.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

/**
 * Resolves where the answer is yes, or was given by `--yes`. Throws usage where nobody can be asked, and cancelled;
 * `otherwise` is said then.
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
