// What is wrong with a value by its contract, in a sentence: `expected a number, got "x"`. A contract that has a message of
// its own keeps it; only where it has none is valibot's ("Invalid type: Expected number but received "x"") said in words
// of ours.

import type * as v from "valibot";

type Issue = v.BaseIssue<unknown>;

/** Characters of a value that are shown. */
const SHOWN_MAX = 100;

export function tellIssue(issue: Issue): string {
  if (!isUnworded(issue)) return lowerFirst(issue.message);
  if (issue.kind === "schema") return tellSchema(issue);
  return tellRule(issue) ?? tellForm(issue);
}

/** Whether the message is the one that valibot makes where nobody has written any. */
function isUnworded({ message, received, expected }: Issue): boolean {
  const end = expected === null ? `: Received ${received}` : `: Expected ${expected} but received ${received}`;
  return message.startsWith("Invalid ") && message.endsWith(end);
}

/** What valibot calls what it looked at: `URL` of "Invalid URL: Received …". */
function labelOf({ message }: Issue): string {
  return message.slice("Invalid ".length, message.indexOf(": "));
}

function tellSchema(issue: Issue): string {
  const { expected, received, input, type } = issue;
  if (received === "undefined") return "required";
  if (expected === "never") return "unknown field";
  if (expected === "!null") return "must not be null";
  if (expected === null || type === "custom") return `is not valid, got ${show(input)}`;
  return `expected ${orOf(expected)}, got ${show(input)}`;
}

/** In valibot's words: `(string | null)`, `("a" | "b")`. */
function orOf(expected: string): string {
  const options = expected.replace(/^\((.*)\)$/, "$1").split(/ [|&] /);
  return listOf([...new Set(options.map((option) => TYPES.get(option) ?? option))]);
}

function listOf(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ["string", "a string"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["Object", "an object"],
  ["Array", "a list"],
  ["Date", "a Date"],
  ["bigint", "a bigint"],
]);

/** A rule about a number, a length or a part of a text; undefined: it is none of these. */
function tellRule(issue: Issue): string | undefined {
  const { type, input, requirement } = issue;
  const rule = RULES.get(type);
  if (rule !== undefined) return `must be ${rule(show(requirement))}, got ${show(input)}`;
  if (type === "values" && Array.isArray(requirement))
    return `must be ${listOf(requirement.map(show))}, got ${show(input)}`;
  if (type === "not_value" || type === "not_values") return `must not be ${show(input)}`;
  const counted = /^(min|max|not)?_?(length|size|entries|bytes|code_points|graphemes|words)$/.exec(type);
  if (counted) return tellCount(issue, counted[1], unitOf(counted[2] ?? "", input));
  const part = PARTS.get(type);
  if (part !== undefined)
    return `must ${part} ${requirement instanceof RegExp ? String(requirement) : show(requirement)}, got ${show(input)}`;
  return type === "empty" || type === "non_empty" ? `must ${type === "empty" ? "" : "not "}be empty` : undefined;
}

const RULES: ReadonlyMap<string, (requirement: string) => string> = new Map([
  ["min_value", (requirement: string) => `at least ${requirement}`],
  ["max_value", (requirement) => `at most ${requirement}`],
  ["gt_value", (requirement) => `more than ${requirement}`],
  ["lt_value", (requirement) => `less than ${requirement}`],
  ["value", (requirement) => requirement],
  ["multiple_of", (requirement) => `a multiple of ${requirement}`],
  ["integer", () => "an integer"],
  ["safe_integer", () => "an integer between -9007199254740991 and 9007199254740991"],
  ["finite", () => "a finite number"],
]);

const PARTS: ReadonlyMap<string, string> = new Map([
  ["starts_with", "start with"],
  ["ends_with", "end with"],
  ["includes", "contain"],
  ["excludes", "not contain"],
  ["regex", "match"],
]);

function tellCount({ requirement, received }: Issue, bound: string | undefined, unit: string): string {
  const count =
    bound === "min" ? "at least" : bound === "max" ? "at most" : bound === "not" ? "any number but" : "exactly";
  const units = requirement === 1 ? unit : `${unit}s`;
  return `must have ${count} ${show(requirement)} ${units}, has ${received.replace(/^!/, "")}`;
}

function unitOf(what: string, input: unknown): string {
  if (what === "length") return typeof input === "string" ? "character" : "item";
  return UNITS.get(what) ?? "item";
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ["bytes", "byte"],
  ["words", "word"],
  ["graphemes", "character"],
  ["code_points", "code point"],
  ["entries", "field"],
]);

/** A form of texts, such as `email`; or a check of the contract's own. */
function tellForm(issue: Issue): string {
  const form = FORMS.get(issue.type);
  if (form !== undefined) return `must be ${form}, got ${show(issue.input)}`;
  const label = labelOf(issue);
  const isOwnCheck = label === "input" || label === "item" || label === "content" || label === "value";
  if (isOwnCheck) return `does not pass a check of the contract, got ${show(issue.input)}`;
  return `is not a valid ${label}, got ${show(issue.input)}`;
}

const FORMS: ReadonlyMap<string, string> = new Map([
  ["email", "an email address"],
  ["rfc_email", "an email address"],
  ["url", "a URL"],
  ["uuid", "a UUID"],
  ["ip", "an IP address"],
  ["ipv4", "an IPv4 address"],
  ["ipv6", "an IPv6 address"],
  ["iso_date", "a date such as 2026-11-30"],
  ["iso_date_time", "a time such as 2026-11-30T08:00"],
  ["iso_timestamp", "a time such as 2026-11-30T08:00:00Z"],
  ["iso_time", "a time of day such as 08:00"],
  ["iso_time_second", "a time of day such as 08:00:00"],
  ["iso_week", "a week such as 2026-W48"],
  ["digits", "digits only"],
  ["decimal", "a decimal number"],
  ["parse_json", "JSON"],
  ["emoji", "an emoji"],
  ["credit_card", "the number of a credit card"],
]);

/** A value in few words: `"x"`, `5`, `an object`. */
function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value);
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a Date";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
