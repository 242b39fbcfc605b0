// JSON without rounded numbers: 12345678901234567890 and 1.0 stay as they are written.

/** A number that JavaScript would write differently. */
class ExactNumber {
  constructor(readonly text: string) {}
}

interface Context {
  readonly source?: string;
}

/** Like JSON.parse, except for such numbers. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: Context) => unknown,
  ) => unknown;
  return parse(text, (_key, value, context) => {
    if (typeof value !== "number" || context.source === undefined || context.source === String(value)) return value;
    return new ExactNumber(context.source);
  });
}

/** Writes JSON over several lines, with two spaces per level, and short lists and objects on one line. */
export function writeExact(value: unknown, indent = ""): string {
  if (value instanceof ExactNumber) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((each) => writeExact(each, inner))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${writeExact(each, inner)}`);
  const [open, close] = isList ? "[]" : "{}";
  const line = `${open}${isList || parts.length === 0 ? "" : " "}${parts.join(", ")}${isList || parts.length === 0 ? "" : " "}${close}`;
  if (line.length + indent.length <= 72 && !line.includes("\n")) return line;
  return `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`;
}
