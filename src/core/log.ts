// Logging as the engine and the server see it. `src/log` writes the lines.

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
  /** A log whose lines carry these fields; undefined: `withFields` makes one. Its lines name who has called as well. */
  readonly with?: (fields: LogFields) => Log;
}

export type LogMethod = (message: string, fields?: LogFields) => void;

export const SILENT: Log = { error: undefined, warn: undefined, info: undefined, debug: undefined };

/** A log whose lines carry these fields; what a line says itself goes before. */
export function withFields(log: Log, fields: LogFields): Log {
  if (log.with) return log.with(fields);
  const bound = (method: LogMethod | undefined): LogMethod | undefined =>
    method && ((message, own) => method(message, { ...fields, ...own }));
  return { error: bound(log.error), warn: bound(log.warn), info: bound(log.info), debug: bound(log.debug) };
}
