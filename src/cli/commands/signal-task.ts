import type { Task } from "../../core/api/task.ts";
import type { SignalTask, Taskonaut } from "../../core/api/taskonaut.ts";
import { hasCode, TaskonautError } from "../../core/errors.ts";
import { askPayload, findSignal } from "../ask-payload.ts";
import { examplePayload } from "../next-steps.ts";
import type { Call, Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { untilTaken } from "../questions/ask-again.ts";
import { REASON } from "../reason.ts";
import { printTaken } from "../tell-takers.ts";
import { PAYLOAD_FORM, readGiven } from "../read-payload.ts";

export const signalTask: Command = {
  name: "signal-task",
  summary: "Send a task a signal that its flow waits for",
  about:
    "The signal may come before the flow waits for it: it is kept until then. A terminal asks for a payload that the signal needs. `taskonaut flows` shows the signals of a flow.",
  args: [
    { name: "id", required: true },
    { name: "signal", required: true },
  ],
  options: [
    { name: "payload", value: PAYLOAD_FORM, summary: "What the signal carries, as JSON (default: null)" },
    { name: "idempotency-key", value: "key", summary: "The same key delivers once, however often it is sent" },
    REASON,
  ],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: [
    "signal-task @last approved",
    'signal-task @last approved --payload \'{"by":"Ada"}\'',
    "# sent twice, it is delivered once",
    "signal-task @last approved --payload @approval.json --idempotency-key mail-17",
  ],

  async run(call) {
    const signal = await readSignal(call);
    return withTask(call, async (taskonaut, id) => {
      const form =
        signal.payload === undefined ? await askPayload(call, taskonaut, { id, signal: signal.name }) : undefined;
      const task = await untilTaken(form, () =>
        deliver(taskonaut, id, { ...signal, payload: form?.draft.value ?? signal.payload ?? null }),
      );
      if (form) await call.io.stderr.write("\n");
      await printTaken(call, taskonaut, task, { done: describeDelivery(task, signal.name) });
      return 0;
    });
  },
};

/** If the payload breaks its contract, the error contains one that fits. */
async function deliver(taskonaut: Taskonaut, id: string, signal: SignalTask): Promise<Task> {
  try {
    return await taskonaut.signalTask(id, signal);
  } catch (error) {
    if (!hasCode(error, "input_invalid")) throw error;
    const example = await findExample(taskonaut, id, signal.name);
    if (example === undefined) throw error;
    const details = { ...error.details, id, signal: signal.name, payload: example };
    throw new TaskonautError(error.code, error.message, { errors: error.errors, details, cause: error });
  }
}

/** As JSON; undefined also where the flow takes no such signal, or cannot be asked. */
async function findExample(taskonaut: Taskonaut, id: string, signal: string): Promise<string | undefined> {
  const found = await findSignal(taskonaut, { id, signal });
  return found && examplePayload(found.contract);
}

function describeDelivery(task: Task, signal: string): string {
  const isWaitedFor = task.waiting_for.some(({ kind, name }) => kind === "signal" && name === signal);
  const kept = isWaitedFor || task.status !== "WAITING_OBSERVATION" ? "" : " It is kept until the flow waits for it.";
  return `Signal ${signal} is delivered to task ${task.id}.${kept}`;
}

/** Without a payload where none was given. */
async function readSignal(call: Call): Promise<SignalTask> {
  const { args, flags } = call;
  const found = await readGiven(call, "payload");
  const idempotencyKey = flags.get("idempotency-key");
  return {
    name: args[1] ?? "",
    payload: found?.value,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}
