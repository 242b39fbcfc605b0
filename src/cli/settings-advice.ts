// `init` does not change the user's own settings. It says what they lack, so that the user can add it.

import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { TESTING_RUNTIME } from "../core/record/program-files.ts";

const OURS = "./.taskonaut/tsconfig.json";
const PATHS = {
  taskonaut: "taskonaut/index.d.ts",
  "taskonaut/testing": "taskonaut/testing.d.ts",
  valibot: "valibot/index.d.ts",
};

/** A sentence for each of the folder's own files of settings in which something is missing. */
export async function adviseOnSettings(folder: string): Promise<readonly string[]> {
  return [await adviseOnTsconfig(folder), await adviseOnBunfig(folder)].filter(isText);
}

/** What `bun test` needs; it can be said in more than one way. */
async function adviseOnBunfig(folder: string): Promise<string | undefined> {
  const path = join(folder, "bunfig.toml");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined || text.includes(TESTING_RUNTIME)) return undefined;
  return `${path} is yours. For \`bun test\` with a Bun of your own add "./.taskonaut/${TESTING_RUNTIME}" to preload in its [test].`;
}

/** What an editor needs. */
async function adviseOnTsconfig(folder: string): Promise<string | undefined> {
  const path = join(folder, "tsconfig.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const config = parse(text);
  if (config === undefined) return `${path} cannot be read as JSON: correct it, and add "extends": "${OURS}".`;
  const bases = (Array.isArray(config.extends) ? config.extends : [config.extends]).filter(isText);
  const ours = resolve(folder, OURS);
  // the compiler takes a specifier that does not begin like a path for a package
  const isOurs = (base: string): boolean =>
    /^\.{0,2}\//.test(base) && [base, `${base}.json`].some((each) => resolve(dirname(path), each) === ours);
  if (!bases.some(isOurs)) {
    const all = [...bases, OURS].map((base) => JSON.stringify(base)).join(", ");
    return `${path} is yours. For the types in your editor add "extends": ${bases.length === 0 ? all : `[${all}]`}.`;
  }
  const { paths } = config.compilerOptions ?? {};
  const missing = Object.entries(PATHS).filter(([name]) => paths !== undefined && !Object.hasOwn(paths, name));
  if (missing.length === 0) return undefined;
  const lines = missing.map(([name, place]) => `${JSON.stringify(name)}: ["./.taskonaut/types/${place}"]`);
  return `${path} has paths of its own, which replace those of ${OURS}. Add to them ${lines.join(", ")}.`;
}

interface Tsconfig {
  readonly extends?: unknown;
  readonly compilerOptions?: { readonly paths?: object };
}

function parse(text: string): Tsconfig | undefined {
  try {
    const config: unknown = Bun.JSONC.parse(text);
    return typeof config === "object" && config !== null ? config : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
