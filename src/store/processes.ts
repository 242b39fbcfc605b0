// Identifies processes for others on the same machine, by a text in the database. A process id alone is not enough: it
// is reused later, and means another process in another container.

import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** `unknown`: it runs on another machine, or in another container. */
export type Whereabouts = "there" | "gone" | "unknown";

export class Processes {
  /** The place within which process numbers mean the same as here; undefined: unknown. */
  readonly #machine = describeMachine();

  /** The text that finds this process. Empty if nothing does. */
  get own(): string {
    const { pid } = process;
    return this.#machine === undefined ? "" : `${this.#machine} ${pid} ${readStatus(pid)?.start ?? ""}`;
  }

  /** The state of the process that `own` named. Takes about 0.1 ms. */
  find(own: string): Whereabouts {
    const [, machine, number = "", start] = /^(.*) (\d+) (\d*)$/.exec(own) ?? [];
    if (machine === undefined || machine !== this.#machine) return "unknown";
    const pid = Number(number);
    const status = readStatus(pid);
    // If /proc shows each user only their own processes, the number still tells.
    if (!status) return isNumberInUse(pid) ? "there" : "gone";
    return status.hasEnded || status.start !== start ? "gone" : "there";
  }
}

/**
 * On Linux, one boot of a kernel and one namespace within it. Elsewhere a name, which other machines may have as well.
 */
function describeMachine(): string | undefined {
  if (process.platform !== "linux") return `${process.platform} ${hostname()}`;
  try {
    return `linux ${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

interface Status {
  /** In ticks since the boot. */
  readonly start: string | undefined;
  /** It has ended, but its parent has not noticed yet. */
  readonly hasEnded: boolean;
}

/** Undefined if there is no such process, or no /proc. */
function readStatus(pid: number): Status | undefined {
  try {
    // The name, in parentheses, may hold anything. After it comes field 3 of proc_pid_stat(5).
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { start: fields[22 - 3], hasEnded: ["Z", "X", "x"].includes(fields[0] ?? "") };
  } catch {
    return undefined;
  }
}

function isNumberInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
