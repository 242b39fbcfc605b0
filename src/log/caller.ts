// Where a log line was written: the function, file and line of the statement that called the log. It is read from a
// stack captured at the log method, and two things follow from how JavaScriptCore keeps stacks:
//
// 1. A call in tail position (`() => log.info?.("…")`, `return log.info?.("…")`) leaves no frame behind, so its line
//    would name the caller's caller. Log calls are statements of their own: `() => { log.info?.("…"); }`.
// 2. In the compiled binary a frame leads back to the source only if it was built with `--sourcemap`, and has its name
//    only if it was built without `--minify-identifiers`. Neither costs time at start.

export interface Caller {
  /** From the repository's root for the product's own files, absolute for others: `src/engine/engine.ts`. */
  readonly file: string;
  readonly function: string;
  readonly line: number;
}

const NOBODY: Caller = { file: "<unknown>", function: "<unknown>", line: 0 };

/** `    at name (file:line:column)`, or without name and parentheses for code that is in no function. */
const FRAME = /^\s+at (?:async )?(?:(.*) \((.*):(\d+):\d+\)|(.*):(\d+):\d+)$/m;

/** Where sources lie when they are run as they are; in the binary their paths begin at the root already. */
const ROOT = import.meta.dir.replace(/src\/log$/, "");

/** There are as many frames as statements that log; generated code may make more of them. */
const KNOWN_MAX = 1000;

/** Finds callers, and remembers what each frame says: the same statements log again and again. */
export class Callers {
  readonly #known = new Map<string, Caller>();

  /** The caller of `callee`, which is on the stack now. Costs about half a microsecond. */
  of(callee: (...args: never[]) => unknown): Caller {
    const limit = Error.stackTraceLimit;
    const holder: { stack?: unknown } = {};
    Error.stackTraceLimit = 1;
    Error.captureStackTrace(holder, callee);
    Error.stackTraceLimit = limit;
    return typeof holder.stack === "string" ? this.#read(holder.stack) : NOBODY;
  }

  #read(stack: string): Caller {
    const known = this.#known.get(stack);
    if (known) return known;
    const caller = readFrame(stack);
    if (this.#known.size === KNOWN_MAX) this.#known.clear();
    this.#known.set(stack, caller);
    return caller;
  }
}

function readFrame(stack: string): Caller {
  const match = FRAME.exec(stack);
  if (!match) return NOBODY;
  const [, name = "<module>", namedFile, namedLine, file = namedFile, line = namedLine] = match;
  if (file === undefined || line === undefined) return NOBODY;
  return { file: file.startsWith(ROOT) ? file.slice(ROOT.length) : file, function: name, line: Number(line) };
}
