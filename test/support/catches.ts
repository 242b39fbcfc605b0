// Whether a process catches a signal, or is ended by it: what a test sends too early ends the process without a word.

import { readFileSync } from "node:fs";
import { constants } from "node:os";

export function catches(pid: number, signal: "SIGINT" | "SIGTERM"): boolean {
  const [, mask = "0"] = /^SigCgt:\s*([\da-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}
