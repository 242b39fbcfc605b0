// A field's value as JSON text, whatever it is: a log line must never be the reason why something fails.

const CHARS_MAX = 16_384;

/** Undefined where JSON has nothing to say: undefined, a function, a symbol. */
export function toFieldText(value: unknown): string | undefined {
  // most fields are short texts
  if (typeof value === "string" && value.length <= CHARS_MAX) return JSON.stringify(value);
  try {
    return JSON.stringify(value, createReplacer());
  } catch (error) {
    return JSON.stringify(`[not serialisable: ${messageOf(error)}]`);
  }
}

/** An error as one line for people, with what caused it: `TypeError: x is null; caused by Error: …`. */
export function describeError(error: Error): string {
  const own = `${error.name}: ${error.message}`;
  // one level: a cause that leads back to its own error would have no end
  return error.cause instanceof Error ? `${own}; caused by ${error.cause.name}: ${error.cause.message}` : own;
}

/** Knows bigints, errors, cycles and texts that are too long; everything else is as in JSON. */
function createReplacer(): (this: unknown, key: string, value: unknown) => unknown {
  const ancestors: unknown[] = [];
  return function replace(this: unknown, _key: string, value: unknown): unknown {
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "string" && value.length > CHARS_MAX) return `${value.slice(0, CHARS_MAX)}…`;
    if (typeof value !== "object" || value === null) return value;
    // `this` holds the value: what comes after it among the ancestors belongs to a branch that is done
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return "[cycle]";
    const shown = value instanceof Error ? propertiesOf(value) : value;
    ancestors.push(value);
    if (shown !== value) ancestors.push(shown);
    return shown;
  };
}

function propertiesOf(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { ...Object.fromEntries(Object.entries(error)), name, message, stack, cause };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
