import { createConsola, LogLevels } from "consola/core";
import { LOG_LEVELS, type Log, type LogFields, type LogLevel, type LogMethod } from "../core/log.ts";
import { Callers } from "./caller.ts";
import { toHumanLine } from "./human-line.ts";
import { type LogEntry, toJsonLine, toLogsterLine } from "./lines.ts";
import { createPaint, type Paint } from "./paint.ts";

/** `human` is for a person at a terminal, `json` for programs; `logster` is as compact as `human` and tells all that `json` does. */
export const LOG_STYLES = ["json", "human", "logster"] as const;
export type LogStyle = (typeof LOG_STYLES)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly style: LogStyle;
  /** For every style but `json`. */
  readonly color: boolean;
  /** Takes one line, with its line break. It must have written it when it returns, or the last lines are lost at exit. */
  readonly write: (line: string) => void;
}

const NONE: LogFields = {};

/** A log over consola. No call of it throws for what its fields hold. */
export function createLog({ level, style, color, write }: LogOptions): Log {
  const toLine = lineMaker(style, createPaint(color), level);
  const callers = new Callers();
  const consola = createConsola({
    level: LogLevels[level],
    // consola holds a line back that repeats within `throttle` ms; here every line counts
    throttle: Number.NEGATIVE_INFINITY,
    reporters: [
      {
        log({ date, args }) {
          const entry: LogEntry = { date, ...(args[0] as Omit<LogEntry, "date">) };
          write(toLine(entry));
        },
      },
    ],
  });
  const methodOf = (own: LogLevel, bound: LogFields): LogMethod | undefined => {
    if (LOG_LEVELS.indexOf(own) > LOG_LEVELS.indexOf(level)) return undefined;
    const method: LogMethod = (message, fields = {}) => {
      // raw: consola would take a lone object apart
      consola[own].raw({ level: own, caller: callers.of(method), message, fields: joined(bound, fields) });
    };
    return method;
  };
  const logOf = (bound: LogFields): Log => ({
    error: methodOf("error", bound),
    warn: methodOf("warn", bound),
    info: methodOf("info", bound),
    debug: methodOf("debug", bound),
    with: (fields) => logOf({ ...bound, ...fields }),
  });
  return logOf(NONE);
}

function lineMaker(style: LogStyle, paint: Paint, level: LogLevel): (entry: LogEntry) => string {
  switch (style) {
    case "json":
      return toJsonLine;
    case "human": {
      const options = { isDebugging: level === "debug", folder: process.cwd() };
      return (entry) => toHumanLine(entry, paint, options);
    }
    case "logster":
      return (entry) => toLogsterLine(entry, paint);
  }
}

/** As they are: a getter among them may throw, and is asked when the line is made. */
function joined(bound: LogFields, fields: LogFields): LogFields {
  if (bound === NONE) return fields;
  return Object.defineProperties({ ...bound }, Object.getOwnPropertyDescriptors(fields));
}
