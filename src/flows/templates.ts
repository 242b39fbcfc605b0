// What `taskonaut init` writes: a template's files, which are the user's from then on, and what is generated beside them, so
// that an editor needs no package manager: types that come from this program itself.

import { join } from "node:path";
import { TESTING_RUNTIME } from "../core/record/program-files.ts";
import { findEmbedded } from "./embedded.ts";
import { readTestingRuntime } from "./testing-runtime.ts";

export interface Template {
  readonly flow: string;
  readonly example: readonly string[];
  /** The user's, by their path in the folder: written once. */
  readonly files: ReadonlyMap<string, string>;
  /** Ours, by their path in `.taskonaut`: written anew each time. */
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

/** The package `taskonaut` for programs of users: "taskonaut/client", with its types. */
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
  // from sources: made now; a path that is put together is not bundled
  const script = join(import.meta.dir, "../../.scripts/init-assets.ts");
  const { initAssets } = (await import(script)) as { readonly initAssets: () => Promise<Assets> };
  return initAssets();
}
