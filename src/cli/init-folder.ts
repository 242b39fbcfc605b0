// What `init` does to a folder. Once written, the files of a template belong to the user: `init` never changes a file that
// exists. The files in `.taskonaut` are generated: `init` writes them again if they differ.

import { lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { TaskonautError } from "../core/errors.ts";
import type { Template } from "./wiring.ts";

export interface Initialized {
  /** Paths of files that are the user's from now on. */
  readonly written: readonly string[];
  /** Files of the template's flow that were there already; of the settings beside it `adviseOnSettings` tells. */
  readonly kept: readonly string[];
  /** What was done to `.taskonaut`. */
  readonly generated: "written" | "renewed" | "up to date";
  /** Whether the template's flow is there, as it was written now. */
  readonly hasFlow: boolean;
}

const GENERATED = ".taskonaut";
/** Optional files: the flow runs without them. */
const SETTINGS: ReadonlySet<string> = new Set(["tsconfig.json", "bunfig.toml"]);
/** Of what is generated: it may be edited, and then stays as it is. */
const ONCE = ".gitignore";

/**
 * Writes the template's files if the folder has no `.taskonaut` yet, or if somebody asked for them. It writes the flow and
 * its files together or not at all: half of them would not run. Throws usage.
 */
export async function initFolder(
  folder: string,
  { files, generated }: Template,
  { isAskedFor }: { readonly isAskedFor: boolean },
): Promise<Initialized> {
  if (/[?\\]/.test(resolve(folder))) {
    throw new TaskonautError(
      "usage",
      `${folder}: flow files cannot be loaded from a path that has a ? or a \\. Take a folder with another name.`,
    );
  }
  const isNew = !(await exists(join(folder, GENERATED)));
  const wanted = isNew || isAskedFor ? [...files.keys()] : [];
  const there = new Set<string>();
  for (const path of wanted) if (await exists(join(folder, path))) there.add(path);
  const isInTheWay = [...there].some((path) => !SETTINGS.has(path));
  const written: string[] = [];
  for (const path of wanted) {
    if (there.has(path) || (isInTheWay && !SETTINGS.has(path))) continue;
    await write(join(folder, path), files.get(path) ?? "", "wx");
    written.push(join(folder, path));
  }
  const isChanged = await generate(join(folder, GENERATED), generated);
  return {
    written,
    kept: [...there].flatMap((path) => (SETTINGS.has(path) ? [] : join(folder, path))),
    generated: isNew ? "written" : isChanged ? "renewed" : "up to date",
    hasFlow: wanted.length > 0 && !isInTheWay,
  };
}

/** Tells whether there was anything to change. */
async function generate(folder: string, generated: ReadonlyMap<string, string>): Promise<boolean> {
  let isChanged = false;
  for (const [path, text] of generated) {
    const place = join(folder, path);
    const before = await read(place);
    if (before === text || (before !== undefined && path === ONCE)) continue;
    await write(place, text, "w");
    isChanged = true;
  }
  for (const path of await filesIn(join(folder, "types"))) {
    if (generated.has(join("types", path))) continue;
    await rm(join(folder, "types", path));
    isChanged = true;
  }
  return isChanged;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length));
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** `wx`: a file that has appeared meanwhile is not overwritten. */
async function write(path: string, text: string, flag: "w" | "wx"): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: "you may not write there. Take a folder that is yours.",
  EPERM: "you may not write there. Take a folder that is yours.",
  EROFS: "the file system is read-only. Take a folder elsewhere.",
  ENOTDIR: "a part of the path is a file, not a folder. Take another path.",
  EEXIST: "something else is there. Take another path, or move it away.",
  EISDIR: "a folder is there. Take another path, or move it away.",
  ENOSPC: "the disk is full.",
};

/** What the system refused, with what to do about it. */
export function cannotWrite(path: string, error: unknown): TaskonautError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new TaskonautError("usage", `Cannot write ${path}: ${WHY[code] ?? message}`, { cause: error });
}
