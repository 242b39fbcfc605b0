// Child processes of tools may write to the terminal themselves. The live lines at its bottom step aside for such a child,
// and come back below its output.
//
// `node:child_process` starts its processes through the two functions of Bun that are replaced here.

import { openLibc } from "./libc.ts";
import type { LineWriter } from "./line-writer.ts";

type Lines = Pick<LineWriter, "isLive" | "yield" | "write" | "expectGuests">;

/** A list of words and options, or one object with both. */
type StartArguments = readonly unknown[];
type Start = (...args: StartArguments) => unknown;

interface Options {
  readonly stdio?: readonly unknown[];
  readonly stdout?: unknown;
  readonly stderr?: unknown;
}

/** From now on, in this process. Where no lines are live, nothing changes. */
export function hostGuestProcesses(lines: Lines): void {
  lines.expectGuests(stderrTakesNow());
  replace("spawn", (start) => (...args) => {
    if (!lines.isLive) return start(...args);
    const options = optionsOf(args);
    if (!hasTerminal(options)) return isSilentByDefault(options) ? sayErrors(lines, start, args) : start(...args);
    const back = lines.yield();
    return orBack(back, () => {
      const child = start(...args) as Bun.Subprocess;
      child.exited.then(back, back);
      return child;
    });
  });
  replace("spawnSync", (start) => (...args) => {
    if (!hasTerminal(optionsOf(args))) return start(...args);
    const back = lines.yield();
    const done = orBack(back, () => start(...args));
    back();
    return done;
  });
  const shell = new Proxy(Bun.$, {
    apply: (target, self, args) => host(lines, Reflect.apply(target, self, args) as Bun.$.ShellPromise),
  });
  Reflect.set(Bun, "$", shell);
}

/** Whether a write to stderr would be taken without waiting: a terminal that was stopped takes nothing. */
function stderrTakesNow(): () => boolean {
  let libc: ReturnType<typeof openPoll>;
  let isOpen = false;
  return () => {
    if (!isOpen) libc = openPoll();
    isOpen = true;
    // struct pollfd: int fd, short events, short revents
    const asked = new Int16Array([STDERR, 0, POLLOUT, 0]);
    libc?.poll(asked, 1n, 0);
    return ((asked[3] ?? 0) & POLLOUT) !== 0;
  };
}

function openPoll() {
  return openLibc({ poll: { args: ["ptr", "u64", "i32"], returns: "i32" } });
}

const STDERR = 2;
/** Of `poll`, as Linux and macOS have it. */
const POLLOUT = 0x04;

function replace(name: "spawn" | "spawnSync", change: (start: Start) => Start): void {
  Reflect.set(Bun, name, change(Bun[name] as Start));
}

function orBack<T>(back: () => void, start: () => T): T {
  try {
    return start();
  } catch (error) {
    back();
    throw error;
  }
}

function optionsOf([first, second]: StartArguments): Options {
  const options = Array.isArray(first) ? second : first;
  return typeof options === "object" && options !== null ? options : {};
}

function hasTerminal({ stdio, stdout, stderr }: Options): boolean {
  return [stdio?.[1] ?? stdout, stdio?.[2] ?? stderr].some((to) => to === "inherit" || to === 1 || to === 2);
}

/** By default Bun gives a child the terminal for its errors. Most children write none. */
function isSilentByDefault({ stdio, stderr }: Options): boolean {
  return stdio === undefined && stderr === undefined;
}

/** The errors of the child stand above the live lines, like log lines. */
function sayErrors(lines: Lines, start: Start, [first, second, ...more]: StartArguments): unknown {
  const piped = Array.isArray(first)
    ? [first, { ...(second as object), stderr: "pipe" }]
    : [{ ...(first as object), stderr: "pipe" }, second];
  const child = start(...piped, ...more) as Bun.Subprocess<"ignore", "pipe", "pipe">;
  say(lines, child.stderr).catch(() => {}); // the child is gone
  return child;
}

async function say(lines: Lines, errors: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of errors) lines.write(decoder.decode(piece, { stream: true }));
}

/** With these methods the caller takes the output of a shell command. Without them the terminal gets it. */
const TAKERS = ["quiet", "text", "json", "lines", "arrayBuffer", "bytes", "blob"];

/** A command of the shell begins when somebody waits for it. */
function host(lines: Lines, command: Bun.$.ShellPromise): Bun.$.ShellPromise {
  let isTaken = false;
  let hasBegun = false;
  for (const name of TAKERS) {
    const take = (Reflect.get(command, name) as Start).bind(command);
    Reflect.defineProperty(command, name, {
      value: (...args: StartArguments) => {
        isTaken = name !== "quiet" || args[0] !== false;
        return take(...args);
      },
    });
  }
  const wait = command.then.bind(command);
  const begin: typeof wait = (onDone, onFailed) => {
    if (!isTaken && !hasBegun) {
      hasBegun = true;
      const back = lines.yield();
      wait(back, back).catch(() => {}); // whoever waits for it hears of that
    }
    return wait(onDone, onFailed);
  };
  // oxlint-disable-next-line unicorn/no-thenable -- it is one already
  Reflect.defineProperty(command, "then", { value: begin });
  return command;
}
