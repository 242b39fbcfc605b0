// What `taskonaut init` writes: a template's files, a tsconfig, and types that come from this program itself, so that an
// editor needs no package manager.

import { join } from "node:path";

export interface Template {
  readonly flow: string;
  readonly example: string;
  readonly files: ReadonlyMap<string, string>;
}

const TEMPLATES = {
  order: { flow: "order", example: "--sku A1 --qty 2" },
  incident: { flow: "incident", example: "--log access.log" },
} as const;

export async function readTemplate(name: keyof typeof TEMPLATES): Promise<Template> {
  const assets = await readAssets();
  const files = new Map<string, string>();
  for (const [path, text] of Object.entries(assets)) {
    const prefix = `templates/${name}/`;
    if (path.startsWith(prefix)) files.set(path.slice(prefix.length), text);
  }
  files.set("tsconfig.json", assets["templates/tsconfig.template.json"] ?? "");
  files.set(".taskonaut/types/runtime.d.ts", assets["templates/runtime.d.ts"] ?? "");
  files.set(".taskonaut/types/taskonaut/index.d.ts", assets["types/taskonaut"] ?? "");
  files.set(".taskonaut/types/valibot/index.d.ts", assets["types/valibot"] ?? "");
  return { ...TEMPLATES[name], files };
}

/** As the build names them. */
const EMBEDDED = /(?:^|\/)init[^/]*\.assets$/;

async function readAssets(): Promise<Readonly<Record<string, string>>> {
  const embedded = Bun.embeddedFiles.find(
    (file) => "name" in file && typeof file.name === "string" && EMBEDDED.test(file.name),
  );
  if (embedded) return (await embedded.json()) as Readonly<Record<string, string>>;
  // from sources: made now; a path that is put together is not bundled
  const script = join(import.meta.dir, "../../.scripts/init-assets.ts");
  const { initAssets } = (await import(script)) as {
    readonly initAssets: () => Promise<Readonly<Record<string, string>>>;
  };
  return initAssets();
}
