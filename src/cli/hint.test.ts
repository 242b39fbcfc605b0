import { expect, test } from "bun:test";
import fc from "fast-check";
import { createPaint } from "../log/paint.ts";
import { hintsOf } from "../../test/support/hints.ts";
import { showHint } from "./hint.ts";
import { programName, type Start } from "./program-name.ts";
import { quoteWord } from "./shell-quote.ts";

function commandOf(argv: readonly string[], options: Parameters<typeof hintsOf>[1] = {}): string | undefined {
  return hintsOf(argv, options).give("runTask", { id: "t1" })[0]?.command;
}

test("a shell reads every word back as it was, or the word is not quoted at all", () => {
  const words: string[] = [];
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (word) => {
      if (quoteWord(word) !== undefined) words.push(word);
    }),
    {
      numRuns: 500,
      examples: [["'"], ["$(rm -rf /)"], [""], ["a b"], ["!x"], ["~"], ["-n"], ["\\"], ["`x`"], ["日本"], ["#"], ["*"]],
    },
  );
  const script = `printf '%s\\n' ${words.map((word) => quoteWord(word)).join(" ")}`;
  expect(Bun.spawnSync(["sh", "-c", script]).stdout.toString()).toBe(`${words.join("\n")}\n`);
  expect(words.length).toBeGreaterThan(100);
});

test("a word that a terminal cannot show as it is makes no hint", () => {
  for (const word of ["a\nb", "\u001b[31m", "\u202e", "\u0000"]) {
    expect(quoteWord(word)).toBeUndefined();
    expect(commandOf(["run-task", "t1", "--flows", word])).toBeUndefined();
    expect(hintsOf().give("runTask", { id: word })).toEqual([]);
  }
});

test("a command says where tasks and flows are as it was said, as far as that means something to it", () => {
  const place = ["--flows", "a.ts", "--database-url", "sqlite:x.db", "--flows=-b"];
  expect(commandOf(["run-flow", ...place])).toBe(
    "taskonaut run-task t1 --database-url sqlite:x.db --flows a.ts --flows=-b",
  );
  const hints = hintsOf(["run-flow", ...place]);
  expect(hints.give("listTasks")[0]?.command).toBe("taskonaut get-tasks --database-url sqlite:x.db");
  expect(hints.give("listFlows")[0]?.command).toBe(
    "taskonaut flows --database-url sqlite:x.db --flows a.ts --flows=-b",
  );
  expect(hints.give("helpOfCommand", { command: "run-flow" })[0]?.command).toBe("taskonaut run-flow --help");
  const remote = hintsOf(["run-flow", "--api-base-url", "http://127.0.0.1:1"]);
  expect(remote.give("runTask", { id: "t1" })[0]?.command).toBe(
    "taskonaut run-task t1 --api-base-url http://127.0.0.1:1",
  );
  expect(remote.give("work")).toEqual([]);
  // the variable is there for the next command as well
  expect(commandOf(["run-flow"], { env: { DATABASE_URL: "sqlite:x.db", TASKONAUT_FLOWS: "a.ts" } })).toBe(
    "taskonaut run-task t1",
  );
});

test.each([
  "postgres://me:secret@host/db",
  "postgres://me:se:cr@et@host/db",
  "postgres://host/db?user=me&password=secret",
  "postgresql+psycopg://:secret@/db?host=/run",
  "postgres://host/db?sslpassword=secret",
])("no hint repeats the password of %s", (url) => {
  const hints = hintsOf(["run-flow", "--database-url", url]);
  const [hint] = hints.give("runTask", { id: "t1" });
  expect(hint?.command).toBe('taskonaut run-task t1 --database-url "$DATABASE_URL"');
  expect(hints.before([hint].flatMap((each) => each ?? [])).map(({ text }) => text)).toEqual([
    "A hint repeats no password. Set DATABASE_URL to the URL that was given with --database-url before you paste one.",
  ]);
  const again = hintsOf(["run-flow", `--database-url=${url}`, "--log-level", "warn"]).give("showFault")[0]?.command;
  expect(again).toBe('taskonaut run-flow --log-level debug --database-url="$DATABASE_URL"');
  // it is set to that already
  const known = hintsOf(["run-flow", "--database-url", url], { env: { DATABASE_URL: url } });
  expect(known.before(known.give("runTask", { id: "t1" }))).toEqual([]);
});

test("a URL without a password stays as it is", () => {
  const url = "postgres://me@host:5432/db?sslmode=require";
  expect(commandOf(["run-flow", "--database-url", url])).toBe(`taskonaut run-task t1 --database-url '${url}'`);
});

test("a command stands on a line of its own, to be copied whole", () => {
  const paint = createPaint(false);
  const hints = hintsOf(["run-flow", "--database-url", "sqlite:my tasks.db"]);
  expect(hints.give("goOn", { id: "t1" }).map((hint) => showHint(hint, paint))).toEqual([
    "hint: continue from there:\n  taskonaut run-task t1 --database-url 'sqlite:my tasks.db'",
  ]);
  expect(hints.give("work").map((hint) => showHint(hint, paint))).toEqual([
    "next: taskonaut work --database-url 'sqlite:my tasks.db'",
  ]);
});

test.each<[Partial<Start>, string]>([
  [{ argv0: "dist/taskonaut" }, "dist/taskonaut"],
  [{ argv0: "taskonaut" }, "taskonaut"],
  [{ argv0: "/opt/my tools/taskonaut" }, "'/opt/my tools/taskonaut'"],
  [{ argv0: "/home/me/.npm/_npx/1a/taskonaut", env: { npm_command: "exec" } }, "npx taskonaut"],
  [{ argv0: "taskonaut", env: { npm_command: "exec" } }, "npx taskonaut"],
  [{ argv0: "./taskonaut", env: { npm_command: "exec" } }, "./taskonaut"],
  [{ argv0: "bun", main: "/home/me/taskonaut/src/main.ts", cwd: "/home/me/taskonaut" }, "bun src/main.ts"],
  [{ argv0: "bun", main: "/home/me/taskonaut/src/main.ts", cwd: "/home/me/taskonaut/my flows" }, "bun ../src/main.ts"],
  [{ argv0: "a\nb" }, "taskonaut"],
])("of a program that was called so: %p", (start, name) => {
  // where Bun says that the main file of a compiled program is, on every machine
  expect(programName({ main: "/$bunfs/root/taskonaut", cwd: "/", env: {}, argv0: "x", ...start })).toBe(name);
});
