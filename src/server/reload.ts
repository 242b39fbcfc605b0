// `run-app --reload`: runs the server as a child process, and restarts it when a source changes. A new process cannot
// keep a stale module, guard or timer.
//
// The parent stops the child by closing the channel to it, not by a signal: Ctrl-C at a terminal has already reached
// the child, and a second signal would abort running work. The channel also closes when the parent is killed.

import { statSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { Log } from "../core/log.ts";

export interface SuperviseOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Folders (with everything below them) and single files. */
  readonly watch: readonly string[];
  /** When it aborts, the child is stopped and the promise resolves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** How long a stopping server lets its requests and tools finish. */
  readonly graceMs: number;
}

/** An editor's save causes several events, which count as one. */
const DEBOUNCE_MS = 100;

/** A server that runs this long after its grace period is stuck. */
const STUCK_MS = 5_000;

/** In a watched folder only source files count: a database there changes with every task. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json|sql)$/;

/**
 * Resolves when `signal` aborts. A child that exits by itself is restarted only after a file has changed: no hot loop.
 */
export async function superviseServer({
  command,
  watch: paths,
  signal,
  log,
  graceMs,
}: SuperviseOptions): Promise<void> {
  const changes = watchSources(paths, signal);
  try {
    while (!signal.aborted) {
      const child = Bun.spawn([...command], { stdio: ["inherit", "inherit", "inherit"], ipc: () => {} });
      const ended = child.exited.then(() => "ended" as const);
      const change = changes.next();
      if ((await Promise.race([ended, change])) === "ended" && !signal.aborted) {
        log.warn?.("the server ended; it is started again after the next change", { exit: child.exitCode });
      }
      const file = await change;
      if (file !== undefined) log.info?.("a source changed; the server restarts", { file });
      await endChild(child, graceMs + STUCK_MS);
    }
  } finally {
    changes.close();
  }
}

async function endChild(child: Bun.Subprocess, killAfterMs: number): Promise<void> {
  child.disconnect();
  const stuck = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  await child.exited;
  clearTimeout(stuck);
}

interface Changes {
  /** The file of the next change, after DEBOUNCE_MS without another one. Undefined when the signal aborts. */
  next(): Promise<string | undefined>;
  close(): void;
}

function watchSources(paths: readonly string[], signal: AbortSignal): Changes {
  let pending = Promise.withResolvers<string | undefined>();
  let timer: Timer | undefined;
  const onAbort = (): void => pending.resolve(undefined);
  const onChange = (file: string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => pending.resolve(file), DEBOUNCE_MS);
  };
  signal.addEventListener("abort", onAbort);
  const watchers = paths.map((path) => watchPath(path, onChange));
  return {
    next() {
      pending = Promise.withResolvers();
      if (signal.aborted) pending.resolve(undefined);
      return pending.promise;
    },
    close() {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/**
 * A single file is watched through its folder: editors replace files, and a watch on the old file would see nothing
 * more. Other sources in the folder count too, because the file may import them.
 */
function watchPath(path: string, onChange: (file: string) => void): FSWatcher {
  if (statSync(path).isDirectory()) {
    return watch(path, { recursive: true }, (_, file) => {
      if (file !== null && SOURCE.test(file) && !file.includes("node_modules")) onChange(file);
    });
  }
  return watch(dirname(path), (_, file) => {
    if (file !== null && (file === basename(path) || SOURCE.test(file))) onChange(file);
  });
}
