// The manners of a process that runs other people's code. stdout is for data, so what that code writes there goes to stderr,
// as `console` does. The process ends when the program does, so `process.exit` and its kin are errors. And what nobody
// catches is told in the log, with the tool that it is of, whose failure it is.

import { AsyncLocalStorage } from "node:async_hooks";
import { TaskonautError } from "../core/errors.ts";
import type { Log, LogFields } from "../core/log.ts";
import { toStoredError } from "../core/record/stored-error.ts";
import type { RunningAttempt, ToolWatch } from "../core/flow/tool-watch.ts";
import { sendConsoleToStderr } from "./console.ts";
import { hostGuestProcesses } from "./guest-processes.ts";
import type { LineWriter } from "./line-writer.ts";
import type { OwnStdout } from "./own-stdout.ts";
import { ProcessExitError, refuseEnds } from "./refuse-ends.ts";

/** What a fault of the program itself exits with: EX_SOFTWARE of sysexits.h. */
const EXIT_INTERNAL = 70;
const LAST_LINES_MS = 1000;

export class UserCode implements ToolWatch {
  readonly #attempts = new AsyncLocalStorage<RunningAttempt>();
  readonly #running = new Set<RunningAttempt>();
  #log: Log | undefined;

  /** `exit`: that of the process, before it was taken from user code. */
  private constructor(
    private readonly lines: LineWriter,
    private readonly stdout: OwnStdout,
    private readonly exit: (code: number) => never,
  ) {}

  /** From now on, in this process. Before any user's file is loaded: it may keep what it finds. */
  static host(lines: LineWriter, stdout: OwnStdout): UserCode {
    const userCode = new UserCode(lines, stdout, refuseEnds());
    sendConsoleToStderr(lines.write);
    process.on("uncaughtException", (error) => userCode.#onUncaught(error));
    process.on("unhandledRejection", (error) => userCode.#onUncaught(error));
    return userCode;
  }

  /** Files of users are about to be loaded. Not sooner: the runtime's streams take milliseconds to set up. */
  beforeFiles(): void {
    this.stdout.keepFromOthers();
    sendStdoutToStderr(this.lines.write);
    hostGuestProcesses(this.lines);
  }

  /** Where what is uncaught is told; until then on stderr as it is. */
  tellTo(log: Log): void {
    this.#log = log;
  }

  within<T>(attempt: RunningAttempt, run: () => T): T {
    return this.#attempts.run(attempt, run);
  }

  begin(attempt: RunningAttempt): void {
    this.#running.add(attempt);
  }

  end(attempt: RunningAttempt): void {
    this.#running.delete(attempt);
  }

  /** Ends the process, once what was said is written, or soon. */
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

  /** The runtime does not tell whose a rejection is: where one tool runs, it is that one's. */
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

/** By the writer of lines, so that nobody waits for whoever reads stderr; what comes by the descriptor finds its own way. */
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
