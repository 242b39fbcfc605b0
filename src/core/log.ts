// What the engine and the server know of logging. Writing lines is the business of `src/log`.

export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Structured fields of a line, in the words of the task resource: `task_id`, `step`, `tool`, `status`, … */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * A method is undefined where its level is off, so that `log.debug?.("…", { … })` costs one comparison:
 * neither the message nor the fields are built.
 */
export interface Log {
  readonly error: LogMethod | undefined;
  readonly warn: LogMethod | undefined;
  readonly info: LogMethod | undefined;
  readonly debug: LogMethod | undefined;
}

export type LogMethod = (message: string, fields?: LogFields) => void;

export const SILENT: Log = { error: undefined, warn: undefined, info: undefined, debug: undefined };
