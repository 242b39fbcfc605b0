// Looks at stdin without reading from it: its data may be meant for somebody else, such as the loop of a script that reads
// lines from the same pipe.

import { fstatSync, type Stats } from "node:fs";
import { openLibc } from "./libc.ts";
import type { StdinState } from "./io.ts";

const STDIN = 0;

/** Of `poll`, as Linux and macOS have it. */
const POLLIN = 0x01;
const POLLHUP = 0x10;
/** Of `recv`: look, take nothing, do not wait. */
const MSG_PEEK = 0x02;
const MSG_DONTWAIT = process.platform === "darwin" ? 0x80 : 0x40;
/** Of `lseek`: from where it stands. */
const SEEK_CUR = 1;

export function peekStdin(): StdinState {
  const stats = statOf(STDIN);
  if (stats?.isFile()) return stats.size > positionOf(STDIN) ? "data" : "empty";
  return stats?.isFIFO() || stats?.isSocket() ? peekPipe(stats) : "empty";
}

/** Undefined where stdin is closed. */
function statOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}

function positionOf(descriptor: number): number {
  const libc = openLibc({ lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  return Math.max(Number(libc?.lseek(descriptor, 0n, SEEK_CUR) ?? 0), 0);
}

function peekPipe(stats: Stats): StdinState {
  const libc = openLibc({
    poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  });
  if (!libc) return "silent";
  // struct pollfd: int fd, short events, short revents
  const asked = new Int16Array([STDIN, 0, POLLIN, 0]);
  libc.poll(asked, 1n, 0);
  const told = asked[3] ?? 0;
  if ((told & POLLIN) === 0) return (told & POLLHUP) === 0 ? "silent" : "empty";
  // a socket is also readable at its end; so is a pipe on macOS, where the size says how much it holds
  if (stats.isSocket()) return libc.recv(STDIN, new Uint8Array(1), 1n, MSG_PEEK | MSG_DONTWAIT) > 0n ? "data" : "empty";
  return process.platform === "darwin" && stats.size === 0 ? "empty" : "data";
}
