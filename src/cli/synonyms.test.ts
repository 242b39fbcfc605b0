import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";
import { readArgv } from "./argv.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { COMMANDS } from "./run-cli.ts";
import { COMMAND_SYNONYMS, OPTION_SYNONYMS } from "./synonyms.ts";

const NAMES = COMMANDS.map(({ name }) => name);

test("each word for a command is none itself, and offers calls that there are", () => {
  for (const [word, offers] of Object.entries(COMMAND_SYNONYMS)) {
    expect([word, NAMES.includes(word)]).toEqual([word, false]);
    for (const offer of offers) {
      const { command, problems } = readArgv(offer.split(" "), COMMANDS, GLOBAL_OPTIONS);
      const beyond = problems.filter(({ message }) => !/^<\w+> is missing$/.test(message));
      expect([word, offer, command !== undefined, beyond]).toEqual([word, offer, true, []]);
    }
  }
});

test("each word for an option is none itself, and offers options that there are", () => {
  const known = [...GLOBAL_OPTIONS, ...COMMANDS.flatMap(({ options }) => options)].map(({ name }) => `--${name}`);
  for (const [word, offers] of Object.entries(OPTION_SYNONYMS)) {
    expect([word, known.includes(word)]).toEqual([word, false]);
    for (const offer of offers) expect([word, known.includes(offer.split(" ")[0] ?? "")]).toEqual([word, true]);
  }
});

test("what other programs call it leads to the command, the option or the value", async () => {
  for (const [argv, offer] of [
    [["list"], "get-tasks"],
    [["ls"], "get-tasks"],
    [["ps"], "get-tasks"],
    [["tasks"], "get-tasks"],
    [["status", "x"], "get-task"],
    [["start"], "run-app"],
    [["serve"], "run-app"],
    [["cancel"], "cancel-task"],
    [["retry", "x"], "retry-task"],
    [["enqueue"], "run-flow --mode enqueue"],
    [["get-tasks", "--db=x"], "--database-url"],
    [["run-flow", "--db", "x"], "--database-url"],
    [["run-flow", "--verbose"], "--log-level debug"],
    [["run-flow", "--async"], "--mode enqueue"],
    [["get-tasks", "--verbose"], "--log-level debug"],
    [["get-tasks", "--log-level", "wran"], "warn"],
    [["get-tasks", "--log-level", "warning"], "warn"],
    [["run-flow", "--mode", "queue"], "enqueue"],
    [["run-flow", "--mode", "advnace"], "advance"],
    [["init", "x", "--example", "incidnet"], "incident"],
    [["get-tasks", "--format", "jsonl"], "ndjson"],
    [["get-tasks", "--format", "TABLE"], "table"],
    [["get-tasks", "-o=json"], "--format"],
  ] as const) {
    const { code, stderr } = await cli(argv);
    expect([argv, code]).toEqual([argv, 2]);
    expect(stderr.split("\n")[0]).toEndWith(`; did you mean ${offer}?`);
  }
});
