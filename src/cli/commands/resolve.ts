import { resolutionOf, waysAsked } from "../../core/api/resolution.ts";
import type { Resolution } from "../../core/api/taskonaut.ts";
import { resolveAsking } from "../ask-resolution.ts";
import type { Call, Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { REASON } from "../reason.ts";
import { printTaken } from "../tell-takers.ts";
import { printingParked } from "../print-parked.ts";
import { canAsk } from "../questions/open-questions.ts";
import { PAYLOAD_FORM, readPayload } from "../read-payload.ts";
import { readCount, usageError } from "../usage.ts";

const STEP_MAX = 1_000_000;
const MESSAGE_DEFAULT = "Settled by hand as failed.";

export const resolve: Command = {
  name: "resolve",
  summary: "Settle a step in doubt",
  about:
    "A step is in doubt when a process died in the middle of a tool that must not be called twice. Nobody but you can know whether its effect happened: say how it ended. A terminal asks.",
  args: [{ name: "id", required: true }],
  options: [
    { name: "step", value: "N", summary: "Its number; may be left out where just one step is in doubt" },
    { name: "output", value: PAYLOAD_FORM, summary: "It happened, with this output" },
    { name: "retry", summary: "It did not happen: call the tool again, under the same idempotency key" },
    { name: "fail", value: "message", isValueOptional: true, summary: "The step failed; the flow may catch it" },
    REASON,
  ],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: [
    'resolve @last --output \'{"invoice":"R-17"}\'',
    "resolve @last --step 2 --retry",
    'resolve @last --fail "The bank refused it"',
  ],

  async run(call) {
    const step = readCount(call.flags, "step", { min: 1, max: STEP_MAX });
    const isAsked = canAsk(call) && waysAsked((name) => call.flags.has(name)).length === 0;
    const said = isAsked ? undefined : await readWay(call);
    return withTask(call, async (taskonaut, id) => {
      const task = await printingParked(call, taskonaut, id, async () => {
        if (said) return taskonaut.resolveTask(id, { resolution: said, ...(step !== undefined && { step }) });
        const of = { step, messageDefault: MESSAGE_DEFAULT };
        return resolveAsking(call, taskonaut, await taskonaut.getTask(id), of);
      });
      await printTaken(call, taskonaut, task, { done: "The step is settled." });
      return 0;
    });
  },
};

async function readWay({ flags, io }: Pick<Call, "flags" | "io">): Promise<Resolution> {
  const [way, other] = waysAsked((name) => flags.has(name));
  if (way === undefined)
    throw usageError([{ path: "", message: "say how it ended: --output '…', --retry or --fail [message]" }]);
  if (other !== undefined)
    throw usageError([{ path: `--${other}`, message: `contradicts --${way}: give one of them` }]);
  const output =
    way === "output" ? await readPayload(flags.get("output") ?? "", { option: "--output", io }) : undefined;
  return resolutionOf(way, { output, message: flags.get("fail") || MESSAGE_DEFAULT });
}
