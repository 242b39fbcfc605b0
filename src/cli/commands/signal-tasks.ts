import { bulkCommand } from "../bulk/bulk-command.ts";
import { PAYLOAD_FORM, readGiven } from "../read-payload.ts";

export const signalTasks = bulkCommand({
  action: "signal",
  name: "signal-tasks",
  summary: "Send a signal to all tasks that match",
  about: "It shows how many, and asks. Each task gets it once, however often the operation is interrupted.",
  args: [{ name: "signal", required: true }],
  options: [{ name: "payload", value: PAYLOAD_FORM, summary: "What the signal carries, as JSON (default: null)" }],
  examples: [
    "signal-tasks approved --waiting-for signal:approved --dry-run",
    'signal-tasks approved --waiting-for signal:approved --payload \'{"by":"Ada"}\' --yes',
  ],

  async readSignal(call) {
    const found = await readGiven(call, "payload");
    return { name: call.args[0] ?? "", payload: found ? found.value : null };
  },
});
