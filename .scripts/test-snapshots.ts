// What is compared with a stored snapshot must have one: `bun test` writes a snapshot that is missing, keeps one that no
// test asks for, and passes either way.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Failure } from "./test-report.ts";

const KEY = /^exports\[`(.*)`\] = `/gm;

/** The line of `bun test` that counts the comparisons with snapshots. */
const COMPARED = /^ *(\d+) snapshots, \d+ expect/m;

/** The file's snapshots before it runs; undefined: it has none. */
export interface Snapshots {
  readonly path: string;
  readonly text: string | undefined;
}

export function readSnapshots(root: string, file: string): Snapshots {
  const path = join(root, dirname(file), "__snapshots__", `${basename(file)}.snap`);
  return { path, text: existsSync(path) ? readFileSync(path, "utf8") : undefined };
}

/** Takes back what the run has written, so that the next run fails as well. */
export function findMissing({ path, text }: Snapshots, file: string): readonly Failure[] {
  const now = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (now === text) return [];
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
  const known = new Set(keysOf(text));
  return keysOf(now)
    .filter((key) => !known.has(key))
    .map((key) => ({
      name: `no snapshot: ${key}`,
      file,
      text: `The snapshot "${key}" does not exist. Write it with bun test -u ${file}, and look at it.`,
    }));
}

/** `output`: of a run of exactly these files, in which each test has passed. */
export function findObsolete(stored: readonly Snapshots[], output: string, file: string): readonly Failure[] {
  const count = stored.flatMap(({ text }) => keysOf(text)).length;
  const compared = Number(COMPARED.exec(Bun.stripANSI(output))?.[1] ?? 0);
  if (compared >= count) return [];
  return [
    {
      name: `obsolete snapshots: ${count - compared}`,
      file,
      text: `${count} snapshots are stored, but only ${compared} are asked for. Write them with bun test -u ${file}.`,
    },
  ];
}

function keysOf(text = ""): readonly string[] {
  return [...text.matchAll(KEY)].map(([, key = ""]) => key);
}
