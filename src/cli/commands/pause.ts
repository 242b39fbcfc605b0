import type { Paused } from "../../core/api/pauses.ts";
import type { Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { describeTarget, readTarget, TARGET_OPTIONS } from "../pause-target.ts";
import { REASON, whoAmI } from "../reason.ts";
import { tell, toJson } from "../print.ts";

export const pause: Command = {
  name: "pause",
  summary: "Hold back a flow, a tool or everything",
  about:
    "When it returns, after about two seconds, no step of it starts any more, on any worker or by hand. What runs runs on to its end, unless `--abort` is given. Tasks can still be created, and wait; `taskonaut unpause` lets them go on.",
  args: [{ name: "flow", required: false }],
  options: [
    ...TARGET_OPTIONS,
    { name: "abort", summary: "Tell running tools to stop, except at-most-once ones; they run again afterwards" },
    { name: "by", value: "name", summary: "Who pauses it (default: your user name)" },
    { ...REASON, summary: "Why; shown with each task that waits for it, and in the audit log" },
  ],
  takesFields: false,
  needs: "tasks",
  logLevel: "error",
  examples: ['pause order --reason "the bank is down"', "pause --tool charge", "pause --all"],

  async run(call) {
    const target = readTarget(call, "pause");
    const reason = call.flags.get("reason");
    const options = {
      abort: call.flags.has("abort"),
      by: call.flags.get("by") ?? whoAmI(),
      ...(reason !== undefined && { reason }),
    };
    return withTaskonaut(call, async (taskonaut) => {
      const paused = await taskonaut.pauses.pause(target, options);
      const { io, look, hints } = call;
      const words = describeTarget(target);
      if (look.style !== "readable") await io.stdout.write(`${toJson(paused, look)}\n`);
      await tell(
        call,
        [`${capitalized(words)} is paused.`, ...describeUnanswered(paused)],
        hints.give("unpause", { target }),
      );
      return 0;
    });
  },
};

function describeUnanswered({ unanswered }: Paused): readonly string[] {
  if (unanswered.length === 0) return [];
  const who = unanswered.length === 1 ? `Worker ${unanswered[0]} has` : `Workers ${unanswered.join(", ")} have`;
  return [`${who} not answered. Once it goes on it may still start what it was just about to start, and nothing else.`];
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
