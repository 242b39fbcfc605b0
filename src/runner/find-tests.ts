// Finds test files from paths.

import { type Dirent, readdirSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { TaskonautError } from "../core/errors.ts";
import { lookAt, whyNot } from "../flows/look-at.ts";

/** `order.test.ts`, `order_spec.js`: the names that the runner accepts. */
const TEST_FILE = /[._](?:test|spec)\.[cm]?[jt]sx?$/;
const SKIPPED_FOLDER = /^\.|^node_modules$/;

/** A folder with links to itself is not walked forever. */
const DEPTH_MAX = 16;

/**
 * Absolute paths, each once, in order. `named` are paths as the user typed them. Without any, it searches the folders
 * of the flows: `flowPaths`, or else the current folder. Throws usage if a path does not exist or is not a test, or if
 * there are no tests.
 */
export function findTests(
  named: readonly string[],
  { flowPaths, cwd }: { readonly flowPaths: readonly string[]; readonly cwd: string },
): readonly string[] {
  const places = named.length > 0 ? named.map((path) => resolve(cwd, path)) : defaultPlaces(flowPaths, cwd);
  const found = [...new Set(places.flatMap(testsAt))];
  if (found.length > 0) return found;
  throw new TaskonautError(
    "usage",
    `No tests found in ${places.join(", ")}. A test is a file such as order.test.ts; the command \`init\` writes a flow with one.`,
  );
}

/** For a flow file, its folder. */
function defaultPlaces(flowPaths: readonly string[], cwd: string): readonly string[] {
  if (flowPaths.length === 0) return [cwd];
  return flowPaths.map((path) => (isFile(path) ? dirname(path) : path));
}

function testsAt(path: string): readonly string[] {
  const stat: Stats | string = lookAt(path);
  if (typeof stat === "string") throw new TaskonautError("usage", `${path}: ${stat}.`);
  if (stat.isDirectory()) return testsIn(path, 0);
  if (TEST_FILE.test(path)) return [path];
  const beside = basename(path).replace(/(?=\.\w+$)/, ".test");
  throw new TaskonautError(
    "usage",
    `${path} is not a file of tests: their names end in .test.ts or .spec.ts. Write the tests of it in ${beside}.`,
  );
}

function testsIn(folder: string, depth: number): string[] {
  if (depth > DEPTH_MAX) return [];
  const entries = entriesOf(folder).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED_FOLDER.test(entry.name) ? [] : testsIn(path, depth + 1);
    return TEST_FILE.test(entry.name) && isFile(path) ? [path] : [];
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new TaskonautError("usage", `${folder}: ${whyNot(error)}.`, { cause: error });
  }
}

function isFile(path: string): boolean {
  const found = lookAt(path);
  return typeof found !== "string" && found.isFile();
}
