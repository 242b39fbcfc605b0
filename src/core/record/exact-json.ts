// JSON that comes from outside, read so that nothing in it is lost without a word. `JSON.parse` rounds numbers silently,
// gives no position of a mistake, and in some runtimes ends the process on deep nesting; this reader
//
// J1. takes and gives exactly what `JSON.parse` does, wherever it takes a text at all (a property test holds it to
//     that);
// J2. refuses each number that a double would change: whole numbers beyond ±(2^53 − 1), overflow, and literals that
//     only rounding turns into a whole number; ordinary fractions become the nearest double, as everywhere;
// J3. refuses a key that stands twice in one object, where `JSON.parse` keeps the last and drops the others;
// J4. refuses what is nested deeper than JSON_DEPTH_MAX, and takes time linear in the text.

import { TaskonautError, describeViolations, type Violation } from "../errors.ts";
import { JSON_DEPTH_MAX } from "./json.ts";

const VIOLATIONS_MAX = 100;
const EXCERPT_MAX = 40;

/**
 * Throws body_invalid where the text is no JSON (with the position), and input_invalid where it is, but cannot be kept
 * exactly: every such number and every repeated key at once, with its path.
 */
export function parseExactJson(text: string): unknown {
  return new ExactJsonReader(text).readDocument();
}

class ExactJsonReader {
  private at = 0;
  private depth = 0;
  private readonly path: (string | number)[] = [];
  private readonly violations: Violation[] = [];

  constructor(private readonly text: string) {}

  readDocument(): unknown {
    const value = this.readValue();
    if (this.peek() !== "") this.fail("expected the end of the text");
    if (this.violations.length > 0) throw inputInvalid(this.violations);
    return value;
  }

  private readValue(): unknown {
    switch (this.peek()) {
      case "{":
        return this.readObject();
      case "[":
        return this.readArray();
      case '"':
        return this.readString();
      case "t":
        return this.readLiteral("true", true);
      case "f":
        return this.readLiteral("false", false);
      case "n":
        return this.readLiteral("null", null);
      default:
        return this.readNumber();
    }
  }

  private readObject(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.enter();
    if (!this.skipIf("}")) {
      do {
        if (this.peek() !== '"') this.fail("expected a key in double quotes");
        const key = this.readString();
        if (!this.skipIf(":")) this.fail('expected ":"');
        this.path.push(key);
        if (Object.hasOwn(object, key)) this.addViolation("this key stands more than once in its object");
        setOwn(object, key, this.readValue());
        this.path.pop();
      } while (this.skipIf(","));
      if (!this.skipIf("}")) this.fail('expected "," or "}"');
    }
    this.depth--;
    return object;
  }

  private readArray(): unknown[] {
    const array: unknown[] = [];
    this.enter();
    if (!this.skipIf("]")) {
      do {
        this.path.push(array.length);
        array.push(this.readValue());
        this.path.pop();
      } while (this.skipIf(","));
      if (!this.skipIf("]")) this.fail('expected "," or "]"');
    }
    this.depth--;
    return array;
  }

  private enter(): void {
    this.at++;
    if (++this.depth > JSON_DEPTH_MAX) {
      throw inputInvalid([{ path: "", message: `nested deeper than ${JSON_DEPTH_MAX} levels` }]);
    }
  }

  private readString(): string {
    const start = this.at;
    const end = endOfString(this.text, start);
    if (end === -1) this.fail("this string does not end");
    this.at = end;
    try {
      return JSON.parse(this.text.slice(start, end)) as string;
    } catch {
      this.at = start;
      return this.fail("this string holds an unescaped control character or an unknown escape");
    }
  }

  private readNumber(): number {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    pattern.lastIndex = this.at;
    const literal = pattern.exec(this.text)?.[0];
    if (literal === undefined) return this.fail("expected a value");
    this.at += literal.length;
    const value = Number(literal);
    const loss = describeLoss(literal, value);
    if (loss !== undefined) this.addViolation(loss);
    return value;
  }

  private addViolation(message: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ path: this.path.join("."), message });
  }

  private readLiteral<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail("expected a value");
    this.at += word.length;
    return value;
  }

  /** The next character that is not white space; "" at the end. */
  private peek(): string {
    while (isSpace(this.text.charCodeAt(this.at))) this.at++;
    return this.text.charAt(this.at);
  }

  private skipIf(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  private fail(expectation: string): never {
    const before = this.text.slice(0, this.at).split("\n");
    const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const rest = this.text.slice(this.at, this.at + EXCERPT_MAX);
    const found = rest === "" ? "the end" : JSON.stringify(rest);
    throw new TaskonautError("body_invalid", `Not valid JSON at ${where}: ${expectation}, found ${found}.`);
  }
}

function inputInvalid(errors: readonly Violation[]): TaskonautError {
  return new TaskonautError("input_invalid", `The JSON cannot be kept exactly: ${describeViolations(errors)}.`, {
    errors,
  });
}

/** What a double would make of the number as it was written, or undefined where nothing is lost (J2). */
function describeLoss(literal: string, value: number): string | undefined {
  if (Number.isFinite(value) && !Number.isInteger(value)) return undefined;
  if (!Number.isFinite(value)) return `${excerpt(literal)} overflows; send it as text`;
  if (!Number.isSafeInteger(value)) {
    return `${excerpt(literal)} is beyond ±${Number.MAX_SAFE_INTEGER}, where whole numbers are not exact; send it as text`;
  }
  if (literal === String(value) || plainForm(literal) === plainForm(String(value))) return undefined;
  return `${excerpt(literal)} would be rounded to ${value}; send it as text`;
}

/** The same for every spelling of one decimal number but for its sign: its digits without outer zeros, and their exponent. */
function plainForm(literal: string): string {
  const [mantissa = "", exponent = "0"] = literal.replace(/^-/, "").split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = whole + fraction;
  // loops, because /0+$/ takes quadratic time on a long literal
  let start = 0;
  while (digits[start] === "0") start++;
  if (start === digits.length) return "0";
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return `${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

/** The index after the closing quote, or -1. A quote closes unless an odd number of backslashes stands before it. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return -1;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** An assignment to `__proto__` would set the prototype; a property of that name is what JSON means. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function excerpt(literal: string): string {
  return literal.length <= EXCERPT_MAX ? literal : `${literal.slice(0, EXCERPT_MAX)}…`;
}
