import type { Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, tell } from "../print.ts";
import { REASON } from "../reason.ts";
import { describeTarget, readTarget, TARGET_OPTIONS } from "../pause-target.ts";

export const unpause: Command = {
  name: "unpause",
  summary: "Continue what a pause holds back",
  about: "Workers take up at once what has waited. It prints what is still paused.",
  args: [{ name: "flow", required: false }],
  options: [...TARGET_OPTIONS, REASON],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "error",
  examples: ["unpause order", "unpause --tool charge", "unpause --all"],

  async run(call) {
    const target = readTarget(call, "unpause");
    return withTaskonaut(call, async (taskonaut) => {
      await taskonaut.pauses.unpause(target);
      const { io, look } = call;
      if (look.style !== "readable") await io.stdout.write(listToJson(await taskonaut.pauses.list(), look));
      await tell(call, [`The pause of ${describeTarget(target)} is over.`]);
      return 0;
    });
  },
};
