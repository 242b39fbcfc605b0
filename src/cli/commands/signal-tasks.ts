import { bulkCommand } from "../bulk/bulk-command.ts";
import { PAYLOAD_FORM, readPayload, readStdin } from "../read-payload.ts";

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

  async readSignal({ args, flags, io }) {
    const option = "--payload";
    const given = flags.get("payload");
    const found =
      given === undefined
        ? await readStdin({ io, flags }, option)
        : { value: await readPayload(given, { option, io }) };
    return { name: args[0] ?? "", payload: found ? found.value : null };
  },
});
