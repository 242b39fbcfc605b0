// The target of `pause` and `unpause`, as typed: a flow by its name, `--tool <name>`, or `--all`.

import type { PauseTarget } from "../core/api/pauses.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

export const TARGET_OPTIONS: readonly Option[] = [
  { name: "tool", value: "name", summary: "A tool, whatever flow calls it" },
  { name: "all", summary: "All flows and tools" },
];

/** Throws usage. */
export function readTarget({ args, flags }: Pick<Call, "args" | "flags">, command: string): PauseTarget {
  const [flow] = args;
  const tool = flags.get("tool");
  const targets: readonly PauseTarget[] = [
    ...(flow === undefined ? [] : [{ scope: "flow", name: flow } as const]),
    ...(tool === undefined ? [] : [{ scope: "tool", name: tool } as const]),
    ...(flags.has("all") ? [{ scope: "all" } as const] : []),
  ];
  const [target] = targets;
  if (target && targets.length === 1) return target;
  const what = target ? "name only one thing" : "name what is meant";
  throw usageError([{ path: command, message: `${what}: a flow, --tool <name>, or --all` }]);
}

/** `flow order`, `tool charge`, `everything` */
export function describeTarget(target: PauseTarget): string {
  return target.scope === "all" ? "everything" : `${target.scope} ${target.name}`;
}
