// The files that `taskonaut init` writes: a template's files, which belong to the user from then on, and generated
// files with this program's own types, so that an editor needs no package manager.

import { join } from "node:path";
import { TESTING_RUNTIME } from "../core/record/program-files.ts";
import { findEmbedded } from "./embedded.ts";
import { readTestingRuntime } from "./testing-runtime.ts";

export interface Template {
  readonly flow: string;
  readonly example: readonly string[];
  /** The user's files, by path in the folder. They are written once. */
  readonly files: ReadonlyMap<string, string>;
  /** Our files, by path in `.taskonaut`. They are always written again. */
  readonly generated: ReadonlyMap<string, string>;
}

const TEMPLATES = {
  order: { flow: "order", example: ["--sku", "A1", "--qty", "2"] },
  incident: { flow: "incident", example: [] },
} as const;

export async function readTemplate(name: keyof typeof TEMPLATES): Promise<Template> {
  const assets = await readAssets();
  const files = below(`templates/${name}/`, assets);
  files.set("tsconfig.json", assets["templates/tsconfig.template.json"] ?? "");
  files.set("bunfig.toml", assets["templates/bunfig.template.toml"] ?? "");
  const generated = new Map([
    ["tsconfig.json", assets["templates/types.tsconfig.template.json"] ?? ""],
    [".gitignore", assets["templates/gitignore"] ?? ""],
    [TESTING_RUNTIME, await readTestingRuntime()],
  ]);
  for (const [path, text] of below("types/", assets)) generated.set(`types/${path}`, text);
  return { ...TEMPLATES[name], files, generated };
}

/** The package `taskonaut` for users' programs: "taskonaut/client", with its types. */
export async function readClientPackage(version: string): Promise<ReadonlyMap<string, string>> {
  const description = {
    name: "taskonaut",
    version,
    description: "The client of a taskonaut server",
    license: "MIT",
    type: "module",
    exports: { "./client": { types: "./client.d.ts", default: "./client.js" } },
    sideEffects: false,
  };
  const files = below("client/", await readAssets());
  return new Map([["package.json", `${JSON.stringify(description, null, 2)}\n`], ...files]);
}

type Assets = Readonly<Record<string, string>>;

function below(prefix: string, assets: Assets): Map<string, string> {
  const found = Object.entries(assets).filter(([path]) => path.startsWith(prefix));
  return new Map(found.map(([path, text]) => [path.slice(prefix.length), text]));
}

async function readAssets(): Promise<Assets> {
  const embedded = findEmbedded("init");
  if (embedded) {
    const json = await Bun.zstdDecompress(await embedded.arrayBuffer());
    return JSON.parse(json.toString()) as Assets;
  }
  // from sources: made on demand; the bundler ignores a computed path
  const script = join(import.meta.dir, "../../.scripts/init-assets.ts");
  const { initAssets } = (await import(script)) as { readonly initAssets: () => Promise<Assets> };
  return initAssets();
}
