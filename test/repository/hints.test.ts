// A command that a person could paste is a hint, and hints are made in one place: no other text of the program has one.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/run-cli.ts";
import { ROOT } from "./imports.ts";

/** What the help says of commands stands in the commands, and in the files of the help. */
const HELP = /^src\/cli\/[\w-]*help[\w-]*\.ts$/;
const HELP_TEXTS = COMMANDS.flatMap(({ about, summary, examples, options }) => [
  about,
  summary,
  ...examples,
  ...options.map((option) => option.summary),
]).join("\n");

const CALL = new RegExp(`\\btaskonaut (?:${COMMANDS.map(({ name }) => name).join("|")})\\b[^"\`]*`, "g");

test("no text of the program but a hint and the help has a command to type", async () => {
  const files = await Array.fromAsync(new Bun.Glob("src/**/*.ts").scan(ROOT));
  const own = files.filter((file) => !/\.test\.ts$|^src\/flows\/templates\//.test(file) && !HELP.test(file));
  const found: string[] = [];
  for (const file of own.toSorted()) {
    const text = await Bun.file(join(ROOT, file)).text();
    for (const line of text.split("\n")) {
      if (/^\s*(?:\/\/|\/?\*)/.test(line)) continue;
      const calls = line.split(/\s\/\/ /)[0]?.match(CALL) ?? [];
      found.push(...calls.filter((call) => !HELP_TEXTS.includes(call)).map((call) => `${file}: ${call}`));
    }
  }
  expect(found).toEqual([]);
});
