// Finds flow files from paths.

import { type Dirent, readdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { TaskonautError } from "../core/errors.ts";
import { lookAt, whyNot as whyNotRead } from "./look-at.ts";

export interface FlowFile {
  /** An absolute path. */
  readonly path: string;
  /** The path itself was given, not found in a folder, so the file must contain a flow. */
  readonly isNamed: boolean;
  /** Why its name rules out flows, so that it is not read. Undefined: it may have flows. */
  readonly whyNot?: string;
}

/** `taskonaut init` writes this next to the flows. If it is in the current folder, that folder has the flows. */
const MARKER = ".taskonaut";

/**
 * Returns `--flows`, else TASKONAUT_FLOWS (separated like PATH), else `./flows` if it is a folder, else the current
 * folder if `init` has written it, else nothing.
 */
export function resolveFlowPaths(where: {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}): readonly string[] {
  const { flags, env, cwd } = where;
  const named =
    flags.length > 0 ? flags : (env["TASKONAUT_FLOWS"] ?? "").split(delimiter).filter((path) => path !== "");
  if (named.length > 0) return named.map((path) => resolve(cwd, path));
  const usual = join(cwd, "flows");
  if (isFolder(usual)) return [usual];
  return isFolder(join(cwd, MARKER)) ? [cwd] : [];
}

/** Throws flow_load_failed if a path does not exist. Returns each file once, and those of a folder sorted by name. */
export function findFlowFiles(paths: readonly string[]): readonly FlowFile[] {
  const found = new Map<string, FlowFile>();
  for (const path of paths.map((each) => resolve(each))) {
    if (UNREADABLE.test(path)) throw unreadable(path);
    for (const file of isFolderNamed(path) ? filesIn(path, 0) : [{ path, isNamed: true }]) {
      if (file.isNamed || !found.has(file.path)) found.set(file.path, file);
    }
  }
  return [...found.values()];
}

const SOURCE = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const SKIPPED_FOLDER = /^\.|^node_modules$/;

/** Files next to flows in a project that are not flows, by the end of the name, or by folder. */
const NO_FLOWS: readonly (readonly [RegExp, string])[] = [
  [/\.d\.[cm]?ts$/, "has only types"],
  [/\.(?:test|spec|bench|stories)\.[cm]?[jt]sx?$|[/\\]__(?:tests|mocks|fixtures)__[/\\]/, "is a test"],
  [/\.(?:config|setup|conf)\.[cm]?[jt]s$/, "is the configuration of a tool"],
];

/** A folder with links to itself must not be walked forever. */
const DEPTH_MAX = 16;
const FILES_MAX = 1_000;

function filesIn(folder: string, depth: number): FlowFile[] {
  const files: FlowFile[] = [];
  if (depth > DEPTH_MAX) return files;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDER.test(entry.name)) files.push(...filesBelow(path, depth + 1));
    } else if (entry.isSymbolicLink() && isFolder(path)) {
      // it may lead back to where it is
      const whyNot = "is a link to a folder: name the folder itself as well";
      if (!SKIPPED_FOLDER.test(entry.name)) files.push({ path, isNamed: false, whyNot });
    } else if (SOURCE.test(entry.name) && !entry.name.startsWith(".")) {
      const whyNot = whyNoFlow(path);
      files.push({ path, isNamed: false, ...(whyNot !== undefined && { whyNot }) });
    }
    if (files.length > FILES_MAX) {
      throw new TaskonautError(
        "flow_load_failed",
        `${folder} has more than ${FILES_MAX} source files. Name the flow files, or a folder that has only them.`,
      );
    }
  }
  return files;
}

/** If one folder cannot be read, the files next to it still run. */
function filesBelow(folder: string, depth: number): FlowFile[] {
  try {
    return filesIn(folder, depth);
  } catch (error) {
    if (!(error instanceof TaskonautError) || error.details["folder"] !== folder) throw error;
    return [{ path: folder, isNamed: false, whyNot: String(error.details["why"]) }];
  }
}

/** Sorted by name. Throws flow_load_failed. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw notThere(folder, whyNotRead(error), { folder });
  }
}

/** The runtime reads `?` as the beginning of a query, and `\` as a slash. */
const UNREADABLE = /[?\\]/;

function unreadable(path: string): TaskonautError {
  return new TaskonautError(
    "flow_load_failed",
    `${path}: a flow file cannot be read where its path has a ? or a \\. Rename it, or lay a link to it elsewhere.`,
    { details: { path } },
  );
}

function whyNoFlow(path: string): string | undefined {
  if (UNREADABLE.test(path)) return "has a ? or a \\ in its path, and cannot be read";
  const found = lookAt(path);
  if (typeof found === "string") return "is a link that leads nowhere";
  // whoever opens a pipe waits until somebody writes to it
  if (!found.isFile()) return "is a pipe or a device, not a file";
  return NO_FLOWS.find(([form]) => form.test(path))?.[1];
}

function isFolder(path: string): boolean {
  const found = lookAt(path);
  return typeof found !== "string" && found.isDirectory();
}

/** Throws flow_load_failed if the path is neither a file nor a folder. */
function isFolderNamed(path: string): boolean {
  const found = lookAt(path);
  if (typeof found === "string") throw notThere(path, found);
  // a pipe has text, too
  if (found.isDirectory() || found.isFile() || found.isFIFO()) return found.isDirectory();
  throw notThere(path, "it is neither a file nor a folder");
}

function notThere(path: string, why: string, details: object = {}): TaskonautError {
  return new TaskonautError("flow_load_failed", `${path}: ${why}. Check --flows or TASKONAUT_FLOWS.`, {
    details: { path, why, ...details },
  });
}
