// From paths to flow files.

import { lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { TaskonautError } from "../core/errors.ts";

export interface FlowFile {
  /** Absolute. */
  readonly path: string;
  /** Named itself, not found in a folder: then it must have a flow. */
  readonly isNamed: boolean;
  /** Why it is passed over unread, by its name; undefined: it may have flows. */
  readonly whyNot?: string;
}

/** What `taskonaut init` writes beside the flows: who stands there means that folder. */
const MARKER = ".taskonaut";

/**
 * `--flows`, else TASKONAUT_FLOWS (separated as PATH is), else `./flows` where that is a folder, else the current folder
 * where `init` has written it, else none.
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

/** Throws flow_load_failed for a path that is not there. Each file comes once, those of a folder by name. */
export function findFlowFiles(paths: readonly string[]): readonly FlowFile[] {
  const found = new Map<string, FlowFile>();
  for (const path of paths.map((each) => resolve(each))) {
    if (UNREADABLE.test(path)) throw unreadable(path);
    for (const file of statOf(path).isDirectory() ? filesIn(path, 0) : [{ path, isNamed: true }]) {
      if (file.isNamed || !found.has(file.path)) found.set(file.path, file);
    }
  }
  return [...found.values()];
}

const SOURCE = /\.m?[jt]s$/;
const SKIPPED_FOLDER = /^\.|^node_modules$/;

/** What stands beside flows in a project: by the end of its name, or its folder. */
const NO_FLOWS: readonly (readonly [RegExp, string])[] = [
  [/\.d\.m?ts$/, "has only types"],
  [/\.(?:test|spec|bench|stories)\.m?[jt]s$|[/\\]__(?:tests|mocks|fixtures)__[/\\]/, "is a test"],
  [/\.(?:config|setup|conf)\.m?[jt]s$/, "is the configuration of a tool"],
];

/** A folder that links lead into itself must not be walked for ever. */
const DEPTH_MAX = 16;
const FILES_MAX = 1_000;

function filesIn(folder: string, depth: number): FlowFile[] {
  const files: FlowFile[] = [];
  if (depth > DEPTH_MAX) return files;
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDER.test(entry.name)) files.push(...filesIn(path, depth + 1));
    } else if (SOURCE.test(entry.name) && !entry.name.startsWith(".")) {
      const whyNot = whyNoFlow(path, entry.isSymbolicLink());
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

/** The runtime takes one for the beginning of a query, and the other for a slash. */
const UNREADABLE = /[?\\]/;

function unreadable(path: string): TaskonautError {
  return new TaskonautError(
    "flow_load_failed",
    `${path}: a flow file cannot be read where its path has a ? or a \\. Rename it, or lay a link to it elsewhere.`,
    { details: { path } },
  );
}

function whyNoFlow(path: string, isLink: boolean): string | undefined {
  if (UNREADABLE.test(path)) return "has a ? or a \\ in its path, and cannot be read";
  if (isLink && !statSync(path, { throwIfNoEntry: false })) return "is a link that leads nowhere";
  return NO_FLOWS.find(([form]) => form.test(path))?.[1];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function statOf(path: string): { isDirectory(): boolean } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat) return stat;
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const what = isLink
    ? `it is a link to ${readlinkSync(path)}, where there is nothing`
    : "there is no such file or folder";
  throw new TaskonautError("flow_load_failed", `${path}: ${what}. Check --flows or TASKONAUT_FLOWS.`, {
    details: { path },
  });
}
