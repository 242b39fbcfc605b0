// What the documents say of the code is so: rooms, commands, variables, codes, and where things are.

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { writtenPages } from "../../.scripts/docs.ts";
import { readArgv } from "../../src/cli/argv.ts";
import { GLOBAL_OPTIONS } from "../../src/cli/options.ts";
import { COMMANDS } from "../../src/cli/run-cli.ts";
import { ERRORS } from "../../src/core/errors.ts";
import { SILENT } from "../../src/core/log.ts";
import { routesOf } from "../../src/server/routes.ts";
import { FakeTaskonaut } from "../support/fake-taskonaut.ts";
import { callsIn, codeOf, readDocuments, readText, tableOf } from "./documents.ts";
import { ROOT } from "./imports.ts";
import { ROOMS } from "./rooms.ts";

const documents = await readDocuments();
const document = (path: string): string => documents.get(path) ?? "";
const sources = new Map(
  await Promise.all(
    (await Array.fromAsync(new Bun.Glob("{src,test}/**/*.ts").scan(ROOT)))
      .toSorted()
      .map(async (path) => [path, await readText(path)] as const),
  ),
);
const program = [...sources].filter(([path]) => path.startsWith("src/") && !path.endsWith(".test.ts"));

test("ARCHITECTURE.md lists the rooms with what each may import", () => {
  const told = tableOf(document("ARCHITECTURE.md"), "room").map(([room, , imports]) => [
    codeOf(room)[0],
    codeOf(imports),
  ]);
  expect(Object.fromEntries(told)).toEqual(
    Object.fromEntries(Object.entries(ROOMS).map(([room, { imports }]) => [room, imports])),
  );
});

test("pages with generated parts are as `bun run docs` writes them", async () => {
  for (const [path, text] of await writtenPages()) expect(document(path)).toBe(text);
});

test("README.md has at most 200 lines", () => {
  expect(document("README.md").split("\n").length).toBeLessThanOrEqual(200);
});

test("every call of the program in the documents can be typed", () => {
  const calls = [...documents].flatMap(([path, text]) => callsIn(text).map((words) => ({ path, words })));
  const wrong = calls.filter(({ words }) => {
    // a field is a switch, or takes what follows: only its flow knows
    const takesNext = (_field: string, next: string): boolean => !next.startsWith("--");
    const readings = [undefined, takesNext].map((each) => readArgv(words, COMMANDS, GLOBAL_OPTIONS, each));
    return readings.every(({ command, problems }) => command === undefined || problems.length > 0);
  });
  expect(calls.length).toBeGreaterThan(20);
  expect(wrong.map(({ path, words }) => `${path}: ${words.join(" ")}`)).toEqual([]);
});

test("docs/configuration.md lists the environment variables that the program reads", () => {
  const reads = [
    /\benv(?:ironment)?\["([A-Z_]+)"\]/g,
    /"(TASKONAUT_[A-Z_]+)"/g,
    /^ {2}(TASKONAUT_[A-Z_]+): ["{]/gm,
    /\bfind\("[^"]+", "([A-Z_]+)"\)/g,
  ];
  const read = program.flatMap(([, text]) =>
    reads.flatMap((each) => [...text.matchAll(each)].map(([, name = ""]) => name)),
  );
  const told = tableOf(document("docs/configuration.md"), "variable").map(([name]) => codeOf(name)[0] ?? "");
  expect(told.toSorted()).toEqual([...new Set(read)].toSorted());
});

test("docs/postgresql.md lists the variables of libpq that count", async () => {
  const source = await readText("src/store/libpq-variables.ts");
  const read = [...source.matchAll(/^ {2}\w+: "(PG[A-Z_]+)",$/gm)].map(([, name = ""]) => name);
  const told = /^What a PostgreSQL URL does not say.*?(?=^$)/ms.exec(document("docs/postgresql.md"))?.[0];
  expect(
    codeOf(told)
      .filter((code) => code.startsWith("PG"))
      .toSorted(),
  ).toEqual(read.toSorted());
  expect(read.length).toBeGreaterThan(10);
});

test("no document names a variable of ours that there is not", () => {
  const known = document("docs/configuration.md");
  const named = [...documents].flatMap(([path, text]) =>
    [...text.matchAll(/\bTASKONAUT_[A-Z_]+/g)].map(([name]) => ({ path, name })),
  );
  expect(named.filter(({ name }) => !known.includes(`| \`${name}\``))).toEqual([]);
});

test("docs/errors.md lists the codes of errors with what each door makes of them", () => {
  const told = tableOf(document("docs/errors.md"), "code").map(([code, status, exit, again]) => [
    codeOf(code)[0],
    { status: Number(status), exit: Number(exit), retryable: again === "yes" },
  ]);
  expect(Object.fromEntries(told)).toEqual(ERRORS);
});

test("docs/errors.md says of each code what causes it and what to do", () => {
  const rows = tableOf(document("docs/errors.md"), "code").map(([code, , , , cause = "", remedy = ""]) => [
    codeOf(code)[0],
    cause !== "" && remedy !== "",
  ]);
  expect(rows).toEqual(rows.map(([code]) => [code, true]));
});

test("docs/http-api.md lists the routes", () => {
  const routes = routesOf({
    taskonaut: new FakeTaskonaut(),
    maxBodyBytes: 1,
    log: SILENT,
    version: "0.0.0",
    onLongWait: () => {},
  });
  const told = tableOf(document("docs/http-api.md"), "route").flatMap(([route]) => codeOf(route));
  const declared = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  expect(told.toSorted()).toEqual(declared.toSorted());
});

test("docs/http-api.md lists the fields of a task", async () => {
  const source = await readText("src/core/api/task.ts");
  const body = /^export interface Task \{\n(.*?)^\}/ms.exec(source)?.[1] ?? "";
  const told = tableOf(document("docs/http-api.md"), "field").flatMap(([field]) => codeOf(field));
  expect(told.toSorted()).toEqual([...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name = ""]) => name).toSorted());
});

test("every file and page that a document names is there", () => {
  const missing = [...documents].flatMap(([path, text]) => {
    const named = [...text.matchAll(/`((?:src|test|sql|docs|\.scripts)\/[\w./-]+\.(?:tsx?|md|sql))`/g)];
    const links = [...text.matchAll(/(?:\]\(|\bsrc(?:set)?=")(?!https?:|#)([^)#\s"]+)(?:#[\w-]+)?[)"]/g)];
    return [
      ...named.map(([, file = ""]) => file).filter((file) => !/N_name/.test(file) && !existsSync(join(ROOT, file))),
      ...links.map(([, link = ""]) => link).filter((link) => !existsSync(join(ROOT, dirname(path), link))),
    ].map((what) => `${path}: ${what}`);
  });
  expect(missing).toEqual([]);
});

test("every file that a comment names with its folder is there", () => {
  const missing = [...sources].flatMap(([path, text]) =>
    commentsIn(text)
      .flatMap(
        (comment) => comment.match(/(?<![\w/])(?:\.?[\w-]+\/)+[\w.-]+\.(?:ts|sql|md)\b|\b[A-Z]{2,}\.md\b/g) ?? [],
      )
      .filter((name) => ![ROOT, join(ROOT, "src"), join(ROOT, dirname(path))].some((at) => existsSync(join(at, name))))
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("every link to a heading finds it", () => {
  const lost = [...documents].flatMap(([path, text]) =>
    [...text.matchAll(/\]\(([^)#\s:]*)#([\w-]+)\)/g)]
      .filter(([, page = "", anchor = ""]) => {
        const target = page === "" ? path : join(dirname(path), page);
        return !anchorsOf(document(target)).includes(anchor);
      })
      .map(([link]) => `${path}: ${link}`),
  );
  expect(lost).toEqual([]);
});

/** Each line of theirs. */
function commentsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|\s)(?:\/\/|\/?\*{1,2}) (.*)$/gm)].map(([, line = ""]) => line);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}
