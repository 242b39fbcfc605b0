// A tsconfig.json next to the flows is only for the editor: taskonaut ignores it. Options that would change how a file
// runs are refused with an explanation. Otherwise the file would do one thing in the editor and another here.

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { TaskonautError } from "../core/errors.ts";
import { placeOf } from "./position.ts";
import type { Source } from "./sources.ts";
import { readTokens } from "./tokens.ts";

interface CompilerOptions {
  readonly baseUrl?: unknown;
  readonly experimentalDecorators?: unknown;
  readonly jsx?: unknown;
  readonly jsxFactory?: unknown;
  readonly jsxImportSource?: unknown;
  readonly paths?: unknown;
}

interface Tsconfig {
  readonly path: string;
  readonly options: CompilerOptions;
}

const EXTENDS_MAX = 8;

/** Throws flow_load_failed if the file depends on an option that taskonaut ignores. */
export function refuseTsconfigOptions({ path, text }: Source): void {
  const decorator = /(?:^|\s)@[\p{ID_Start}$_]/mu.test(text)
    ? readTokens(text)?.find((token) => token.text === "@")
    : undefined;
  if (!decorator && !path.endsWith("x")) return;
  const tsconfig = tsconfigOf(path);
  if (!tsconfig) return;
  const { options } = tsconfig;
  if (decorator && options.experimentalDecorators === true) {
    throw refusal(
      placeOf(path, text, decorator.start),
      `this decorator is one of experimentalDecorators (${tsconfig.path}), and taskonaut runs the decorators of the language, which are given (value, context). Write it for those, or call a function instead.`,
    );
  }
  const { jsxImportSource: source, jsxFactory: factory } = options;
  if (!path.endsWith("x") || /@jsx(?:ImportSource)?\b/.test(text)) return;
  const pragma =
    typeof source === "string"
      ? `@jsxImportSource ${source}`
      : typeof factory === "string"
        ? `@jsx ${factory}`
        : undefined;
  if (pragma === undefined) return;
  throw refusal(
    `${path}:1:1`,
    `JSX is set up in ${tsconfig.path}, which is for the editor alone. Write /** ${pragma} */ at the top of the file.`,
  );
}

/** What to do about an import that resolves only with `paths` of a tsconfig.json. Undefined for any other import. */
export function adviceForPaths(specifier: string, from: string): string | undefined {
  const tsconfig = tsconfigOf(from);
  const paths = tsconfig?.options.paths;
  if (!tsconfig || typeof paths !== "object" || paths === null) return undefined;
  const pattern = Object.keys(paths).find((each) => {
    const [start = "", end] = each.split("*");
    return end === undefined ? specifier === each : specifier.startsWith(start) && specifier.endsWith(end);
  });
  if (pattern === undefined) return undefined;
  const meant = fileMeant(tsconfig, { pattern, targets: (paths as Record<string, unknown>)[pattern], specifier });
  const path = meant === undefined ? undefined : relative(dirname(from), meant);
  const advice =
    path === undefined
      ? `Write the path from this file, such as "./${specifier.replace(/^.*?\//, "")}.ts".`
      : `Write ${JSON.stringify(path.startsWith("..") ? path : `./${path}`)}.`;
  return `${JSON.stringify(pattern)} in paths of ${tsconfig.path} is for the editor alone. ${advice}`;
}

interface Mapping {
  readonly pattern: string;
  readonly targets: unknown;
  readonly specifier: string;
}

/** The file that the editor finds. Undefined: none. */
function fileMeant({ path, options }: Tsconfig, { pattern, targets, specifier }: Mapping): string | undefined {
  const [start = "", end = ""] = pattern.split("*");
  const rest = specifier.slice(start.length, specifier.length - end.length);
  const base = resolve(dirname(path), typeof options.baseUrl === "string" ? options.baseUrl : ".");
  for (const target of Array.isArray(targets) ? (targets as readonly unknown[]) : []) {
    if (typeof target !== "string") continue;
    const place = resolve(
      base,
      target.replace("*", () => rest),
    );
    const file = ENDINGS.map((ending) => place + ending).find((each) =>
      statSync(each, { throwIfNoEntry: false })?.isFile(),
    );
    if (file !== undefined) return file;
  }
  return undefined;
}

/** Endings that an import may leave out. */
const ENDINGS = ["", ".ts", ".tsx", ".mts", ".js", ".mjs", "/index.ts", "/index.js"];

/** The nearest tsconfig.json at or above the file, with those that it extends by path. */
function tsconfigOf(file: string): Tsconfig | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const path = join(folder, "tsconfig.json");
    if (existsSync(path)) return { path, options: optionsOf(path, EXTENDS_MAX) };
    if (folder === dirname(folder)) return undefined;
  }
}

function optionsOf(path: string, left: number): CompilerOptions {
  try {
    const config = Bun.JSONC.parse(readFileSync(path, "utf8")) as {
      readonly extends?: unknown;
      readonly compilerOptions?: CompilerOptions;
    };
    const base =
      typeof config.extends === "string" && config.extends.startsWith(".") && left > 0 ? config.extends : undefined;
    const file =
      base === undefined ? undefined : resolve(dirname(path), base.endsWith(".json") ? base : `${base}.json`);
    return { ...(file !== undefined && optionsOf(file, left - 1)), ...config.compilerOptions };
  } catch {
    return {}; // the editor reports what is wrong with it
  }
}

function refusal(where: string, what: string): TaskonautError {
  return new TaskonautError("flow_load_failed", `${where}: ${what}`, { details: { file: where } });
}
