import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TaskonautError } from "../../core/errors.ts";
import { showControls } from "../../core/visible.ts";
import type { Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { cannotWrite } from "../init-folder.ts";
import { toJson } from "../print.ts";
import { writeFlowTypes } from "../types/flow-types.ts";

export const types: Command = {
  name: "types",
  summary: "Write TypeScript types of the flows, for a typed client",
  about:
    'They say what each flow and each signal takes. createClient<Flows>() of "taskonaut/client" has them; `--client` writes that package into a folder.',
  args: [],
  options: [
    { name: "client", value: "folder", summary: "Write the package taskonaut with taskonaut/client into this folder" },
  ],
  takesFields: false,
  needs: "tasks",
  ignores: ["database-url"],
  logLevel: "warn",
  examples: ["types > flows.d.ts", "types --client vendor/taskonaut"],

  async run(call) {
    const { flags, io, isRemote, look, wiring } = call;
    const folder = flags.get("client");
    if (folder !== undefined) {
      if (folder.trim() === "") throw new TaskonautError("usage", "--client: the folder has no name.");
      const written = await writePackage(folder, await wiring.readClientPackage());
      const lines = ["Wrote", ...written.map((path) => `  ${showControls(path)}`)];
      await io.stdout.write(look.style === "readable" ? `${lines.join("\n")}\n` : `${toJson({ written }, look)}\n`);
      return 0;
    }
    const list = isRemote
      ? await withTaskonaut(call, (taskonaut) => taskonaut.listFlows())
      : await (await wiring.openFlows()).list();
    await io.stdout.write(writeFlowTypes(list));
    return 0;
  },
};

/** Replaces the files of an earlier call. Returns the paths. Throws usage. */
async function writePackage(folder: string, files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  await checkFree(folder);
  const written: string[] = [];
  for (const [name, text] of files) {
    const path = join(folder, name);
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(path, text);
    } catch (error) {
      throw cannotWrite(path, error);
    }
    written.push(path);
  }
  return written;
}

/** Somebody's own project has a package.json too: it is not overwritten. */
async function checkFree(folder: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(join(folder, "package.json"), "utf8");
  } catch {
    return;
  }
  if (/"description": "The client of a taskonaut server"/.test(text)) return;
  throw new TaskonautError(
    "usage",
    `${folder} has a package.json of something else. Take a folder of its own, such as ${join(folder, "vendor/taskonaut")}.`,
  );
}
