// Rules for a process that runs user code. stdout is for data, so the code's writes to stdout and `console` go to stderr.
// Only the program may end the process, so `process.exit` and the like are errors. An uncaught error is logged with the
// tool that it belongs to, and fails that tool's step.

import { AsyncLocalStorage } from "node:async_hooks";
import { TaskonautError } from "../core/errors.ts";
import type { Log, LogFields } from "../core/log.ts";
import { toStoredError } from "../core/record/stored-error.ts";
import type { RunningAttempt, ToolWatch } from "../core/flow/tool-watch.ts";
import { sendConsoleToStderr } from "./console.ts";
import { hostGuestProcesses } from "./guest-processes.ts";
import type { LineWriter } from "./line-writer.ts";
import type { OwnStdout } from "./own-stdout.ts";
import { ProcessExitError, refuseEnds } from "../refuse-ends.ts";

/** What a fault of the program itself exits with: EX_SOFTWARE of sysexits.h. */
const EXIT_INTERNAL = 70;
const LAST_LINES_MS = 1000;

export class UserCode implements ToolWatch {
  readonly #attempts = new AsyncLocalStorage<RunningAttempt>();
  /** Runs something as if nothing had been entered, and takes back what that enters. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #running = new Set<RunningAttempt>();
  #log: Log | undefined;

  /** `exit`: that of the process, before it was taken from user code. */
  private constructor(
    private readonly lines: LineWriter,
    private readonly stdout: OwnStdout,
    private readonly exit: (code: number) => never,
  ) {}

  /** From now on, in this process. Call it before user files are loaded: they may keep references to what they find. */
  static host(lines: LineWriter, stdout: OwnStdout): UserCode {
    const userCode = new UserCode(lines, stdout, refuseEnds());
    sendConsoleToStderr(lines.write);
    process.on("uncaughtException", (error) => userCode.#onUncaught(error));
    process.on("unhandledRejection", (error) => userCode.#onUncaught(error));
    return userCode;
  }

  /** Call it before user files are loaded, and not earlier: the runtime's streams take milliseconds to set up. */
  beforeFiles(): void {
    this.stdout.keepFromOthers();
    sendStdoutToStderr(this.lines.write);
    hostGuestProcesses(this.lines);
  }

  /** The log for uncaught errors. Until it is set they go to stderr. */
  tellTo(log: Log): void {
    this.#log = log;
  }

  within<T>(attempt: RunningAttempt, run: () => T): T {
    // `enterWith` in a tool would last for whatever runs next in this process: other tools, and flows
    return this.#outside(() => this.#attempts.run(attempt, run));
  }

  begin(attempt: RunningAttempt): void {
    this.#running.add(attempt);
  }

  end(attempt: RunningAttempt): void {
    this.#running.delete(attempt);
  }

  /** Ends the process when all lines are written, or after a short while. */
  async leave(code: number): Promise<never> {
    await this.lines.flush(LAST_LINES_MS);
    return this.exit(code);
  }

  #onUncaught(thrown: unknown): void {
    const attempt = this.#attempts.getStore() ?? this.#onlyRunning();
    const told = describe(thrown);
    if (attempt) {
      const isCounted = attempt.fail(thrown);
      const what = isCounted ? "its step has failed" : "its step had ended before";
      this.#tell(`an error that a tool left uncaught: ${what}`, { ...attempt.fields, ...told });
    } else if (
      thrown instanceof ProcessExitError ||
      (told["at"] !== undefined && !(thrown instanceof TaskonautError))
    ) {
      // of a file, or of one of several tools
      const running = [...this.#running].map(({ fields }) => fields["task_id"]);
      this.#tell("an error that user code left uncaught", { ...told, ...(running.length > 0 && { running }) });
    } else {
      const stack = thrown instanceof Error ? thrown.stack : undefined;
      this.#tell("an error that taskonaut left uncaught: this process ends", { ...told, stack });
      this.leave(EXIT_INTERNAL).catch(() => {}); // it does not come back
    }
  }

  /** The runtime does not say where a rejection comes from. If only one tool runs, it is assigned to that tool. */
  #onlyRunning(): RunningAttempt | undefined {
    const [only, other] = this.#running;
    return other === undefined ? only : undefined;
  }

  #tell(message: string, fields: LogFields): void {
    const { lines } = this;
    if (this.#log) this.#log.error?.(message, fields);
    else lines.write(`${JSON.stringify({ level: "error", message, ...fields })}\n`);
  }
}

function describe(thrown: unknown): Record<string, unknown> {
  const { name, message, code, at } = toStoredError(thrown);
  return {
    error: message,
    error_class: name,
    ...(code !== undefined && { error_code: code }),
    ...(at !== undefined && { at }),
  };
}

/** Through the line writer, which never waits for the reader of stderr. Direct writes to the descriptor are not affected. */
function sendStdoutToStderr(write: (text: string) => void): void {
  const toStderr = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    write(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") (done as () => void)();
    return true;
  };
  process.stdout.write = toStderr;
  Reflect.set(Bun, "stdout", Bun.stderr);
}
