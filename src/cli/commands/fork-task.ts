import type { ForkEffect, ForkPreview, ForkTask } from "../../core/api/forks.ts";
import type { Mode } from "../ask-task.ts";
import type { Call, Command } from "../command.ts";
import { showText } from "../cells.ts";
import { confirm } from "../confirm.ts";
import { withTask } from "../drive.ts";
import { printingParked } from "../print-parked.ts";
import { exitCodeOf, printTask, toJson } from "../print.ts";
import { QUEUE_OPTIONS, readQueueOptions } from "../queue-options.ts";
import { PAYLOAD_FORM, readGiven, readPayload } from "../read-payload.ts";
import { REASON } from "../reason.ts";
import { runOn } from "../run-on.ts";
import { drawTable } from "../table.ts";
import { printTaken } from "../tell-takers.ts";
import { readCount, readWord, usageError } from "../usage.ts";

const STEP_MAX = 1_000_000;

const FORK_MODES = ["create", "run", "enqueue"] as const satisfies readonly Mode[];

export const forkTask: Command = {
  name: "fork-task",
  summary: "Make a new task that shares a task's record up to a step",
  about:
    "The new task takes over the steps before --from with their outcomes, and goes on from there by itself: with another input, with outputs that you give, or with another flow's code. It has ids and idempotency keys of its own, so what the task did from that step on happens again: the command lists these effects first, and asks. The task itself stays as it is, whatever its state.",
  args: [{ name: "id", required: true }],
  options: [
    { name: "from", value: "N", summary: "The first step that is not taken over; 1: none is" },
    { name: "input", value: PAYLOAD_FORM, summary: "Another input (default: the task's)" },
    {
      name: "set",
      value: "N=json",
      repeatable: true,
      summary: "The output of a step before --from, in the place of what is recorded",
    },
    { name: "mode", value: "mode", summary: "Create only (default), run it, or enqueue it for a worker" },
    ...QUEUE_OPTIONS,
    { name: "dry-run", summary: "Only show what it would take over, and what would happen again" },
    { name: "yes", summary: "Do not ask" },
    REASON,
  ],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: [
    "# what would happen again",
    "fork-task @last --from 2 --dry-run",
    "fork-task @last --from 2 --yes",
    `fork-task @last --from 2 --set '1={"text":"other"}' --mode run --yes`,
  ],

  async run(call) {
    const from = readCount(call.flags, "from", { min: 1, max: STEP_MAX });
    if (from === undefined)
      throw usageError([{ path: "", message: "say from which step on the fork is new, such as --from 2" }]);
    const mode = readWord(call.flags, "mode", FORK_MODES) ?? "create";
    const queueing = readQueueOptions(call, mode);
    // with --set the data of a pipe is an output, or it is refused
    const found = call.flags.has("input") || !call.lists.has("set") ? await readGiven(call, "input") : undefined;
    const request: ForkTask = {
      from,
      ...(found && { input: found.value }),
      ...(await readSet(call)),
      // so the preview shows the keys that the fork will have
      idempotencyKey: `fork ${crypto.randomUUID()}`,
    };
    return withTask(call, async (taskonaut, id) => {
      const preview = await taskonaut.forks.preview(id, request);
      if (call.flags.has("dry-run")) {
        const { io, look } = call;
        await io.stdout.write(look.style === "readable" ? describe(call, preview) : `${toJson(preview, look)}\n`);
        return 0;
      }
      await ask(call, preview);
      const start = mode === "enqueue" ? ({ start: "now", ...queueing } as const) : {};
      const { task } = await taskonaut.forks.create(id, { ...request, ...start });
      if (mode === "enqueue") {
        await printTaken(call, taskonaut, task, { done: `Task ${task.id} is in the queue.` });
        return exitCodeOf(task);
      }
      const options = { id: task.id, maxSteps: undefined, waits: false };
      const last =
        mode === "run" ? await printingParked(call, taskonaut, task.id, () => runOn(call, taskonaut, options)) : task;
      await printTask(call, taskonaut, last);
      return exitCodeOf(last);
    });
  },
};

/** A fork that does nothing again needs no question. */
async function ask(call: Call, preview: ForkPreview): Promise<void> {
  if (preview.effects.length === 0) return;
  if (!call.flags.has("yes")) await call.io.stderr.write(`${describe(call, preview)}\n`);
  await confirm(call, "Fork it?", "Cancelled. No task was created.");
}

/** `--set 2={"cents":5}`: the first `=` ends the number. */
async function readSet({ lists, io }: Pick<Call, "lists" | "io">): Promise<Pick<ForkTask, "set">> {
  const given = lists.get("set") ?? [];
  if (given.length === 0) return {};
  const set: Record<string, unknown> = {};
  for (const text of given) {
    const [, step, json] = /^([1-9]\d{0,6})=([^]*)$/.exec(text) ?? [];
    if (step === undefined || json === undefined) {
      const message = `expected the number of a step and its output, such as 2='{"cents":5}', got ${JSON.stringify(text)}`;
      throw usageError([{ path: "--set", message }]);
    }
    if (Object.hasOwn(set, step)) throw usageError([{ path: "--set", message: `gives step ${step} more than once` }]);
    set[step] = await readPayload(json, { option: `--set ${step}`, io });
  }
  return { set };
}

function describe({ look }: Pick<Call, "look">, { forked_from, shared_steps, effects }: ForkPreview): string {
  const { task_id, step } = forked_from;
  const steps = shared_steps === 0 ? "no step" : shared_steps === 1 ? "1 step" : `${shared_steps} steps`;
  const head = `The fork of task ${task_id} from step ${step} takes over ${steps}.`;
  if (effects.length === 0) return `${head}\nNothing that the task did would happen again.\n`;
  const many = effects.length === 1 ? "This would happen" : `These ${effects.length} would happen`;
  const table = drawTable<ForkEffect>(
    [
      { head: "#", right: true, show: ({ step_index }) => ({ text: String(step_index) }) },
      { head: "STEP", least: 6, most: 32, show: ({ step_name }, width) => ({ text: showText(step_name, width) }) },
      {
        head: "CALLS",
        least: 6,
        most: 32,
        goes: 2,
        show: ({ target }, width) => ({ text: showText(target ?? "", width) }),
      },
      {
        head: "GUARANTEE",
        goes: 1,
        show: ({ kind, execution }) => ({ text: kind === "child" ? "child" : (execution ?? "") }),
      },
    ],
    effects,
    look,
  );
  return `${head}\n${many} again, under a new idempotency key:\n\n${table.join("\n")}\n`;
}
