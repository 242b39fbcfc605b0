// The texts that `taskonaut init` writes, by name: the templates, and the types of Bun, Node, `taskonaut` and
// `valibot`. The build embeds them. A program that runs from its sources calls this file.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const ROOT = join(import.meta.dir, "..");
const TEMPLATES = join(ROOT, "src/flows/templates");
const PACKAGES = join(ROOT, "node_modules");

/** Whole packages of types, by the names that the compiler looks for. */
const TYPE_PACKAGES = { "bun-types": "bun-types", node: "@types/node", "undici-types": "undici-types" } as const;

export async function initAssets(): Promise<Readonly<Record<string, string>>> {
  const assets: Record<string, string> = {
    ...(await ownTypes()),
    "client/client.js": await clientCode(),
    "client/LICENSE": await Bun.file(join(ROOT, "LICENSE")).text(),
    "types/valibot/index.d.ts": await Bun.file(join(PACKAGES, "valibot/dist/index.d.mts")).text(),
    "types/valibot/LICENSE.md": await Bun.file(join(PACKAGES, "valibot/LICENSE.md")).text(),
  };
  for (const [name, from] of Object.entries(TYPE_PACKAGES)) {
    for (const path of await readdir(join(PACKAGES, from), { recursive: true }))
      if (/\.d\.ts$|^package\.json$|^LICENSE/.test(path))
        assets[`types/${name}/${path}`] = await Bun.file(join(PACKAGES, from, path)).text();
  }
  const names = await readdir(TEMPLATES, { recursive: true });
  for (const name of names.filter((each) => /\.(?:ts|json|log|toml|template)$/.test(each)).toSorted()) {
    // an extra extension keeps a template from running as a test of this repository
    assets[`templates/${name.replace(/\.template$/, "")}`] = await Bun.file(join(TEMPLATES, name)).text();
  }
  return assets;
}

const ENTRIES = ["src/sdk/taskonaut.ts", "src/testing/api.ts", "src/client/api.ts"];

/** The types of "taskonaut", "taskonaut/testing" and "taskonaut/client". */
async function ownTypes(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-types-"));
  try {
    await emitDeclarations(folder);
    return {
      "types/taskonaut/index.d.ts": await flatten(join(folder, "src/sdk/taskonaut.d.ts"), SDK_HEAD),
      "client/client.d.ts": await flatten(join(folder, "src/client/api.d.ts"), CLIENT_HEAD),
      "types/taskonaut/testing.d.ts": testingTypes(await Bun.file(join(folder, "src/testing/api.d.ts")).text()),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const SDK_HEAD = `// The types of "taskonaut", as of the program that wrote this file.\n\nimport type * as v from "valibot";`;
const CLIENT_HEAD = `// The types of "taskonaut/client", as of the program that wrote this file.`;

/** "taskonaut/client" with everything that it needs, for any runtime that has fetch. */
async function clientCode(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(ROOT, "src/client/api.ts")],
    target: "browser",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: true },
  });
  const [code] = await Promise.all(built.outputs.map((output) => output.text()));
  return `// The client of a taskonaut server, as of the program that wrote this file.\n${code ?? ""}`;
}

/** The types that name only "taskonaut" and themselves. The values have the types of "taskonaut". */
function testingTypes(api: string): string {
  const head = `// The types of "taskonaut/testing", as of the program that wrote this file.\n`;
  const values = "export declare const runFlow: RunFlow;\nexport declare const fake: MakeFake;\n";
  return [head, api.replaceAll('"../sdk/taskonaut.ts"', '"taskonaut"'), values].join("\n");
}

async function emitDeclarations(outDir: string): Promise<void> {
  const options = ["--declaration", "--emitDeclarationOnly", "--noEmit", "false", "--outDir", outDir, "--rootDir", "."];
  const settings = [
    "--target",
    "esnext",
    "--module",
    "preserve",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--allowImportingTsExtensions",
    "--skipLibCheck",
    "--types",
    "bun-types",
  ];
  const tsc = Bun.spawn([process.execPath, "x", "tsc", "--ignoreConfig", ...ENTRIES, ...options, ...settings], {
    cwd: ROOT,
    env: { ...process.env, BUN_BE_BUN: "1" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const [output, exit] = await Promise.all([tsc.stdout.text(), tsc.exited]);
  if (exit !== 0) throw new Error(`The types of the SDK could not be made:\n${output}`);
}

const RELATIVE = /^(?:import|export)\b[^;]*?from "(\.[^"]+)\.ts";$/gm;

/** The compiler's declarations joined in one file. Only the SDK's names are exported. */
async function flatten(entry: string, head: string): Promise<string> {
  const [entryText = "", ...texts] = (
    await Promise.all((await inOrder(entry)).map((path) => Bun.file(path).text()))
  ).toReversed();
  const declarations = texts.toReversed().flatMap(declarationsIn);
  const exported = entryText.replaceAll(/ from "\.[^"]+"/g, "").trim();
  const kept = keepReachable(exported, declarations);
  return `${[head, ...kept, exported].join("\n\n")}\n`;
}

interface Declaration {
  readonly name: string;
  /** The declaration with its comment, but without `export`. */
  readonly text: string;
}

/** A comment without a declaration after it is inside one: before a member of a union. */
const PART = /^(?=\/\*\*(?:(?!\*\/)[^])*\*\/\n(?:declare|interface|type) |\/\/|(?:declare|interface|type) )/m;

const DECLARATION = /^(?:declare )?(?:abstract )?(?:interface|type|const|function|class) (\w+)/m;

/** The compiler begins each declaration, and its comment, in the first column. */
function declarationsIn(text: string): Declaration[] {
  const bare = text.replaceAll(/^import .*\n/gm, "").replaceAll(/^export (?:\{\};\n)?/gm, "");
  const found: Declaration[] = [];
  let comment = "";
  for (const part of bare.split(PART)) {
    const name = DECLARATION.exec(part)?.[1];
    if (name === undefined) {
      // only the comment right before a declaration is its own
      comment = part.startsWith("/**") ? part : "";
      continue;
    }
    found.push({ name, text: (comment + part).trim() });
    comment = "";
  }
  return found;
}

/** Keeps the declarations that the text names, those that they name, and so on. Throws if a name is declared twice. */
function keepReachable(text: string, declarations: readonly Declaration[]): string[] {
  const byName = Map.groupBy(declarations, ({ name }) => name);
  const kept = new Set<Declaration>();
  const visit = (from: string): void => {
    for (const [word] of from.matchAll(/\b\w+\b(?!\??:)/g)) {
      const all = byName.get(word) ?? [];
      // overloads are adjacent functions; any other repeated name means two different things
      if (all.some((each) => !/\bfunction\b/.test(each.text)) && all.length > 1) {
        throw new Error(`${word} is declared more than once in what the SDK is made of.`);
      }
      for (const declaration of all) {
        if (kept.has(declaration)) continue;
        kept.add(declaration);
        visit(declaration.text.replaceAll(/\/\*[^]*?\*\//g, ""));
      }
    }
  };
  visit(text);
  return declarations.filter((declaration) => kept.has(declaration)).map((declaration) => declaration.text);
}

/** The file and everything it imports, imports first. */
async function inOrder(path: string, seen = new Set<string>()): Promise<string[]> {
  if (seen.has(path)) return [];
  seen.add(path);
  const paths: string[] = [];
  for (const [, specifier = ""] of (await Bun.file(path).text()).matchAll(RELATIVE)) {
    paths.push(...(await inOrder(`${resolve(dirname(path), specifier)}.d.ts`, seen)));
  }
  return [...paths, path];
}
