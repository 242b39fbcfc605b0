import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Argv, readArgv } from "./argv.ts";
import type { Command } from "./command.ts";
import { GLOBAL_OPTIONS } from "./options.ts";

function declare(parts: Partial<Command> & { name: string }): Command {
  return {
    summary: "",
    args: [],
    options: [],
    takesFields: false,
    needs: "tasks",
    logLevel: "warn",
    examples: [],
    run: () => Promise.resolve(0),
    ...parts,
  };
}

const limit = { name: "limit", value: "N", summary: "" };
const status = { name: "status", summary: "" };
const input = { name: "input", value: "json", summary: "" };
const payload = { name: "payload", value: "json", summary: "" };
const fail = { name: "fail", value: "message", isValueOptional: true, summary: "" };
const COMMANDS = [
  declare({ name: "run-flow", args: [{ name: "flow", required: false }], options: [limit, input], takesFields: true }),
  declare({ name: "get-task", args: [{ name: "id", required: true }] }),
  declare({ name: "send", args: [{ name: "id", required: true }], options: [payload] }),
  declare({ name: "resolve", args: [{ name: "id", required: true }], options: [fail, limit] }),
  declare({ name: "get-tasks", options: [limit] }),
  declare({ name: "migrate", options: [status] }),
];

function read(...argv: string[]): Argv {
  return readArgv(argv, COMMANDS, GLOBAL_OPTIONS);
}

function problemsOf(...argv: string[]): string[] {
  return read(...argv).problems.map(({ path, message }) => `${path} ${message}`.trim());
}

test("the word behind an unknown option is taken for its value, and not told as well", () => {
  expect(problemsOf("get-task", "--stepp", "2", "@last")).toEqual(["--stepp unknown option"]);
  expect(read("get-task", "--whole", "@last").args).toEqual(["@last"]);
  expect(problemsOf("get-task", "--whole", "@last")).toEqual(["--whole unknown option"]);
});

test("any text given as --text arrives exactly, in both spellings and wherever it stands", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "--help", "--text", "--", "-5", "007", "=x", "--json"),
  );
  fc.assert(
    fc.property(text, text, fc.boolean(), (value, other, attached) => {
      const words = (name: string, of: string): string[] => (attached ? [`--${name}=${of}`] : [`--${name}`, of]);
      const { fields, problems, flags } = read("run-flow", ...words("text", value), ...words("a", other), "--json");
      expect(problems).toEqual([]);
      expect([...fields]).toEqual([
        ["text", value],
        ["a", other],
      ]);
      expect([...flags.keys()]).toEqual(["json"]);
    }),
  );
});

test("a value that may be left out is left out before an option and at the end", () => {
  for (const [argv, flags] of [
    [["--fail"], { fail: "" }],
    [["--fail", "why"], { fail: "why" }],
    [["--fail=--json"], { fail: "--json" }],
    [["--fail", "--json"], { fail: "", json: "" }],
    [["--fail", "--limit", "--jason"], { fail: "", limit: "--jason" }],
  ] as const) {
    const got = read("resolve", "id", ...argv);
    expect([got.problems, Object.fromEntries(got.flags)]).toEqual([[], flags]);
  }
});

test("a value that may be left out is not to be empty", () => {
  for (const argv of [["--fail", ""], ["--fail="]])
    expect(problemsOf("resolve", "id", ...argv)).toEqual(["--fail its value is empty: write one, or leave it out"]);
});

test("an option that is followed by another one lacks its value, and takes it from nobody else", () => {
  const { problems, flags } = read("get-tasks", "--limit", "--database-url", "postgres://a", "--log-level", "--json");
  expect(problems).toEqual([
    { path: "--limit", message: "a value is missing" },
    { path: "--log-level", message: "a value is missing" },
  ]);
  expect(Object.fromEntries(flags)).toEqual({ "database-url": "postgres://a", json: "" });
  expect(problemsOf("get-tasks", "--limit", "--database-url=x")).toEqual(["--limit a value is missing"]);
  expect(read("get-tasks", "--limit=--json").flags.get("limit")).toBe("--json");
});

test("no arguments at all are taken apart without throwing", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("run-flow", "get-task", "--limit", "--json", "--", "-h", "-", "--x", "--=", "--limit="),
  );
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      expect(Array.isArray(read(...argv).problems)).toBe(true);
    }),
  );
});

test("global options work before and after the command", () => {
  const before = read("--log-level", "debug", "--json", "get-task", "1");
  const after = read("get-task", "1", "--json", "--log-level=debug");
  for (const { command, args, flags, problems } of [before, after]) {
    expect(command?.name).toBe("get-task");
    expect(args).toEqual(["1"]);
    expect(flags.get("log-level")).toBe("debug");
    expect(flags.get("json")).toBe("");
    expect(problems).toEqual([]);
  }
});

test("-- ends the options", () => {
  expect(read("get-task", "--", "--json")).toMatchObject({ args: ["--json"], problems: [] });
  expect(read("get-task", "-")).toMatchObject({ args: ["-"], problems: [] });
});

test("-h and -v are --help and --version", () => {
  expect(read("-h").flags.has("help")).toBe(true);
  expect(read("-v").flags.has("version")).toBe(true);
});

test("an unknown command names the nearest one, and only that", () => {
  expect(problemsOf("get-tak", "--limit", "5")).toEqual(['unknown command "get-tak"; did you mean get-task?']);
  expect(problemsOf("frobnicate")).toEqual(['unknown command "frobnicate"']);
});

test("an unknown option names the nearest one", () => {
  expect(problemsOf("get-tasks", "--limt", "5")).toEqual(["--limt unknown option; did you mean --limit?"]);
  expect(problemsOf("get-tasks", "-n")).toEqual(["-n unknown option; did you mean --limit?"]);
  expect(problemsOf("get-tasks", "-q")).toEqual(["-q unknown option"]);
  expect(problemsOf("--limit", "5", "get-tasks")[0]).toBe(
    "--limit unknown option; it stands after the name of its command",
  );
});

test("an option that repeats, lacks its value or has one too many is a problem, every one at once", () => {
  expect(problemsOf("get-tasks", "--limit", "1", "--limit=2")).toEqual(["--limit given more than once"]);
  expect(problemsOf("get-tasks", "--limit")).toEqual(["--limit a value is missing"]);
  expect(problemsOf("migrate", "--status=yes", "--json", "--json")).toEqual([
    "--status takes no value",
    "--json given more than once",
  ]);
});

test("arguments that are missing or too many are problems", () => {
  expect(problemsOf("get-task")).toEqual(["<id> is missing"]);
  expect(problemsOf("get-task", "1", "2", "3")).toEqual(['unexpected argument "2"', 'unexpected argument "3"']);
  expect(problemsOf("run-flow")).toEqual([]);
});

test("data given as an argument is told where it belongs", () => {
  expect(problemsOf("run-flow", "echo_add", '{"a":1}')).toEqual([
    'unexpected argument "{\\"a\\":1}"; write --input before the JSON',
  ]);
  expect(problemsOf("send", "1", "[1]")).toEqual(['unexpected argument "[1]"; write --payload before the JSON']);
  expect(problemsOf("run-flow", "echo_add", "a=1")).toEqual(['unexpected argument "a=1"; write --a=1']);
  expect(problemsOf("get-task", "1", "a=1")).toEqual(['unexpected argument "a=1"']);
});

test("an argument too many names the field that took an option for its value", () => {
  expect(problemsOf("run-flow", "echo_add", "--b", "--p", "x")).toEqual([
    'unexpected argument "x": `--b` took `--p` as its value; write `--b true`',
  ]);
  expect(problemsOf("run-flow", "echo_add", "--b=--p", "x")).toEqual(['unexpected argument "x"']);
  expect(problemsOf("run-flow", "echo_add", "--b", "--p")).toEqual([]);
});

test("fields are given as they were typed, in order, and whether they lack a value is for their contract to say", () => {
  const { fields, problems } = read("run-flow", "--tags", "a", "flow", "--tags=b", "--a.b", "-5", "--gift");
  expect(fields).toEqual([
    ["tags", "a"],
    ["tags", "b"],
    ["a.b", "-5"],
    ["gift", undefined],
  ]);
  expect(problems).toEqual([]);
});

test("a field before what looks like an option leaves open what that is; before a word, a number or nothing it does not", () => {
  for (const [isOpen, ...words] of [
    [true, "--gift", "--json"],
    [true, "--gift", "-h"],
    [true, "--gift", "--"],
    [true, "--gift", "--tags", "a"],
    [false, "--gift=true", "--json"],
    [false, "--gift", "-5"],
    [false, "--gift", "-.5"],
    [false, "--gift", "-"],
    [false, "--json", "--gift", "true"],
    [false, "--limit", "--tags", "--gift"],
  ] as const)
    expect([words, read("run-flow", ...words).isOpen]).toEqual([words, isOpen]);
});

test("a field that is known for a switch leaves alone what follows it", () => {
  const words = ["run-flow", "--gift", "--json", "flow", "--no-gift", "--tags", "--x"];
  const { args, flags, fields } = readArgv(words, COMMANDS, GLOBAL_OPTIONS, (field) => field === "tags");
  expect([args, [...flags.keys()], fields]).toEqual([
    ["flow"],
    ["json"],
    [
      ["gift", undefined],
      ["no-gift", undefined],
      ["tags", "--x"],
    ],
  ]);
});
