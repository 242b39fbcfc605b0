import type { Pause } from "../../core/api/pauses.ts";
import { showText } from "../cells.ts";
import type { Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, tell } from "../print.ts";
import { type Column, drawTable } from "../table.ts";
import { throwIfDamaged } from "../throw-if-damaged.ts";
import { describeAge } from "../times.ts";

export const pauses: Command = {
  name: "pauses",
  summary: "List what is paused",
  args: [],
  options: [],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["pauses", "pauses --json"],

  run: (call) =>
    withTaskonaut(call, async (taskonaut) => {
      const all = await taskonaut.pauses.list();
      const { io, look } = call;
      if (look.style !== "readable") await io.stdout.write(listToJson(all, look));
      else if (all.length > 0) await io.stdout.write(`${drawTable(columnsOf(look.now()), all, look).join("\n")}\n`);
      else await tell(call, ["Nothing is paused."]);
      throwIfDamaged(
        "pauses",
        all.map(({ scope, name, ...pause }) => ({ ...pause, name: name === null ? scope : `${scope} ${name}` })),
      );
      return 0;
    }),
};

function columnsOf(now: number): readonly Column<Pause>[] {
  return [
    { head: "PAUSED", show: ({ scope }) => ({ text: showText(scope, 8), color: "yellow" }) },
    {
      head: "NAME",
      least: 10,
      most: 40,
      show: ({ name }, width) => ({ text: showText(name ?? "", width), color: "bold" }),
    },
    { head: "REASON", least: 12, show: ({ reason }, width) => ({ text: showText(reason ?? "", width) }) },
    { head: "BY", least: 8, most: 40, goes: 2, show: ({ by }, width) => ({ text: showText(by, width) }) },
    { head: "SINCE", goes: 1, show: ({ since }) => ({ text: describeAge(since, now), color: "dim" }) },
  ];
}
