import { join } from "node:path";
import { TaskonautError } from "../../core/errors.ts";
import { showControls } from "../../core/visible.ts";
import type { Call, Command } from "../command.ts";
import { type Initialized, initFolder } from "../init-folder.ts";
import { toJson } from "../print.ts";
import { adviseOnSettings } from "../settings-advice.ts";
import { wrapWords } from "../wrap-words.ts";
import { readWord } from "../usage.ts";
import type { Template } from "../wiring.ts";

export const init: Command = {
  name: "init",
  summary: "Write a folder with a flow to start from",
  about:
    "It writes a flow, a test of it, a tsconfig, and the types for your editor. Run again on the same folder, it renews the types. No file of yours is changed.",
  args: [{ name: "folder", required: true }],
  options: [
    {
      name: "example",
      value: "name",
      summary: "order (the default), or incident: a flow that reads a web server's access log and reports on it",
    },
  ],
  takesFields: false,
  needs: "files",
  readsOnly: true,
  logLevel: "warn",
  examples: ["init my-flows", "init incidents --example incident"],

  async run(call) {
    const typed = call.args[0] ?? "";
    if (typed.trim() === "") throw new TaskonautError("usage", "The folder has no name: write init my-flows.");
    // with a dash in front it would be an option in the commands that are shown
    const folder = typed.startsWith("-") ? `./${typed}` : typed;
    const example = readWord(call.flags, "example", ["order", "incident"]);
    const template = await call.wiring.readTemplate(example ?? "order");
    const initialized = await initFolder(folder, template, { isAskedFor: example !== undefined });
    await report(call, folder, template, initialized);
    return 0;
  },
};

async function report(
  { io, look, hints }: Pick<Call, "io" | "look" | "hints">,
  folder: string,
  template: Template,
  { written, kept, generated, hasFlow }: Initialized,
): Promise<void> {
  const { flow, example: fields } = template;
  const steps = [
    ...hints.give("tryFlows", { folder }),
    ...(hasFlow ? hints.give("tryValidate", { folder, flow, fields }) : []),
    ...(hasFlow ? hints.give("tryFlow", { folder, flow, fields }) : []),
    ...(hasFlow ? hints.give("tryTests", { folder }) : []),
  ];
  const next = steps.flatMap(({ command }) => command ?? []);
  const advice = await adviseOnSettings(folder);
  const types = join(folder, ".taskonaut");
  if (look.style !== "readable") {
    const all = { folder, flow: hasFlow ? flow : null, written, kept, generated, advice, next };
    await io.stdout.write(`${toJson(all, look)}\n`);
    return;
  }
  const said = { written: "Wrote", renewed: "Renewed", "up to date": "Up to date" }[generated];
  const lines = [
    ...list("Wrote", written),
    ...list(hasFlow ? "Kept what was there" : "Kept what was there, and wrote no example beside it", kept),
    said,
    `  ${showControls(types)}`,
    "",
    wrapWords(ABOUT_TYPES, io.stdout),
    ...advice.flatMap((sentence) => ["", wrapWords(showControls(sentence), io.stdout)]),
    "",
    "Next",
    ...next.map((command) => `  ${look.paint("bold", command)}`),
  ];
  await io.stdout.write(`${lines.join("\n")}\n`);
}

const ABOUT_TYPES =
  "Your editor finds the types of Bun, Node, taskonaut and valibot there. Run init on the folder again to renew them.";

function list(title: string, paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? [] : [title, ...paths.map((path) => `  ${showControls(path)}`), ""];
}
