import { access, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TaskonautError } from "../../core/errors.ts";
import type { Call, Command } from "../command.ts";
import { toJson } from "../print.ts";
import { readWord } from "../usage.ts";
import type { Template } from "../wiring.ts";

export const init: Command = {
  name: "init",
  summary: "Write a folder with a flow to start from",
  about:
    "It writes a flow with two tools, a tsconfig, and the types for your editor. No file that is there is changed.",
  args: [{ name: "folder", required: true }],
  options: [
    {
      name: "example",
      value: "name",
      summary: "incident: a flow that reads a web server's access log and reports on it",
    },
  ],
  takesFields: false,
  needs: "files",
  readsOnly: true,
  logLevel: "warn",
  examples: ["init my-flows", "init incidents --example incident"],

  async run(call) {
    const folder = call.args[0] ?? "";
    const template = await call.wiring.readTemplate(readWord(call.flags, "example", ["incident"]) ?? "order");
    await refuseExisting(folder, template);
    for (const [path, text] of template.files) await writeNew(join(folder, path), text);
    await report(call, folder, template);
    return 0;
  },
};

/** All of them at once, and before the first is written. */
async function refuseExisting(folder: string, { files }: Template): Promise<void> {
  const paths = [...files.keys()].map((path) => join(folder, path));
  const existing = (await Promise.all(paths.map(async (path) => ((await exists(path)) ? [path] : [])))).flat();
  if (existing.length === 0) return;
  throw new TaskonautError(
    "usage",
    `Nothing was written: in ${folder} there is already something. Take another folder, or move it away.`,
    {
      errors: existing.map((path) => ({ path, message: "exists" })),
    },
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // `wx`: what appeared in the meantime is not overwritten
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    throw new TaskonautError("usage", `Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function report(
  { io, look, hints }: Pick<Call, "io" | "look" | "hints">,
  folder: string,
  { flow, example, files }: Template,
): Promise<void> {
  const written = [...files.keys()].map((path) => join(folder, path));
  const fields = example.split(" ");
  const steps = [
    ...hints.give("tryFlows", { folder }),
    ...hints.give("tryValidate", { folder, flow, fields }),
    ...hints.give("tryFlow", { folder, flow, fields }),
  ];
  const next = steps.flatMap(({ command }) => command ?? []);
  if (look.style !== "readable") await io.stdout.write(`${toJson({ folder, flow, written, next }, look)}\n`);
  else {
    const lines = [
      "Wrote",
      ...written.map((path) => `  ${path}`),
      "",
      "Next",
      ...next.map((command) => `  ${look.paint("bold", command)}`),
    ];
    await io.stdout.write(`${lines.join("\n")}\n`);
  }
}
