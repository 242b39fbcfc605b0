// Log lines for programs. Both styles are one line, whatever the message and the fields hold. `human-line.ts` has the third.

import type { LogFields, LogLevel } from "../core/log.ts";
import type { Caller } from "./caller.ts";
import { describeError, toFieldText } from "./field-text.ts";
import type { Color, Paint } from "./paint.ts";
import { escapeControls, showControls } from "../core/visible.ts";

export interface LogEntry {
  readonly date: Date;
  readonly level: LogLevel;
  readonly caller: Caller;
  readonly message: string;
  readonly fields: LogFields;
}

const RESERVED = new Set(["timestamp", "level", "file", "function", "line", "message"]);

/** `{"timestamp":…,"level":…,"file":…,"function":…,"line":…,"message":…, fields}`; a field of such a name gets a `_`. */
export function toJsonLine({ date, level, caller, message, fields }: LogEntry): string {
  const { file, function: name, line } = caller;
  const place = `"file":${JSON.stringify(file)},"function":${JSON.stringify(name)},"line":${line}`;
  const parts = [
    `{"timestamp":"${date.toISOString()}","level":"${level}",${place},"message":${JSON.stringify(message)}`,
  ];
  for (const key of Object.keys(fields)) {
    const text = toFieldText(readField(fields, key));
    if (text !== undefined) parts.push(`${JSON.stringify(RESERVED.has(key) ? `${key}_` : key)}:${text}`);
  }
  return `${escapeControls(parts.join(","))}}\n`;
}

export const LEVEL_COLORS: Readonly<Record<LogLevel, Color>> = {
  error: "red",
  warn: "yellow",
  info: "green",
  debug: "blue",
};

/** `[HH:MM:SS][LEVEL][file][function:line] message key=value`, the time in the zone of the machine. */
export function toLogsterLine({ date, level, caller, message, fields }: LogEntry, paint: Paint): string {
  const head = [
    paint("dim", `[${date.toTimeString().slice(0, 8)}]`),
    paint(LEVEL_COLORS[level], `[${level.toUpperCase()}]`),
    paint("dim", `[${showControls(caller.file)}][${showControls(caller.function)}:${caller.line}]`),
  ].join("");
  const parts = [head, showControls(message)];
  for (const key of Object.keys(fields)) {
    const text = toPlainText(readField(fields, key));
    if (text !== undefined) parts.push(`${paint("cyan", quote(key))}=${text}`);
  }
  return `${parts.join(" ")}\n`;
}

/** A field of a line for people; undefined where there is nothing to say. */
export function toPlainText(value: unknown): string | undefined {
  if (typeof value === "string") return quote(value);
  if (value instanceof Error) return quote(describeError(value));
  const text = toFieldText(value);
  return text === undefined ? undefined : escapeControls(text);
}

/** In quotes, with JSON's escapes, unless the text is a plain word. */
export function quote(text: string): string {
  return /^[^\s"=]+$/.test(text) && showControls(text) === text ? text : escapeControls(JSON.stringify(text));
}

export function readField(fields: LogFields, key: string): unknown {
  try {
    return fields[key];
  } catch (error) {
    return error; // a getter that throws: the line tells so instead of the value
  }
}
