// Every block of the README and of docs is run, compiled or read, through the compiled program; `not-run.ts` lists the others.

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { openSandbox, type Sandbox } from "../e2e/harness.ts";
import { readDocuments } from "../repository/documents.ts";
import { ROOT } from "../repository/imports.ts";
import { DATABASES } from "../support/databases.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Block, blocksOf, placeOf } from "./blocks.ts";
import { NOT_RUN } from "./not-run.ts";
import { runPage } from "./page-run.ts";

setDefaultTimeout(120_000);

const GUIDES = /^(?:README\.md|docs\/)/;
const POSTGRES = "postgres://postgres:postgres@127.0.0.1:5433/taskrunner";

const documents = new Map([...(await readDocuments())].filter(([page]) => GUIDES.test(page)));
const all = blocksOf(documents);
const isLeftOut = ({ page, text }: Block): boolean =>
  NOT_RUN.some(({ page: of, begins }) => of === page && text.startsWith(begins));
const blocks = all.filter((block) => !isLeftOut(block));
const inLanguage = (language: string): readonly Block[] => blocks.filter((block) => block.language === language);

test("every block is of a kind that is run, compiled or read, or is listed with a reason", () => {
  const known = new Set(["sh", "console", "ts", "json", "sql", "yaml"]);
  expect(blocks.filter(({ language }) => !known.has(language)).map(placeOf)).toEqual([]);
  const fences = [...documents.values()].join("\n").match(/^```/gm) ?? [];
  expect(all.length * 2).toBe(fences.length);
});

test("every block that is listed is there, with its reason", () => {
  const gone = NOT_RUN.filter(
    ({ page, begins, why }) => why === "" || !all.some((block) => block.page === page && block.text.startsWith(begins)),
  );
  expect(gone).toEqual([]);
});

describe("the commands of", () => {
  const runnable = new Set(["sh", "console"]);
  const pages = [...documents.keys()].filter((page) =>
    blocks.some((block) => block.page === page && runnable.has(block.language)),
  );
  test.each(pages)("%s do what it shows", async (page) => {
    const own = blocks.filter((block) => block.page === page);
    const wantsPostgres = own.some(({ text }) => text.includes(POSTGRES));
    const database = wantsPostgres ? await testDatabase() : undefined;
    const [port, metrics] = await Promise.all([freePort(), freePort()]);
    const replaced: readonly (readonly [string, string])[] = [
      [":8000", `:${port}`],
      ["run-app", `run-app --port ${port}`],
      [":9464", `:${metrics}`],
      ["--metrics-port 9464", `--metrics-port ${metrics}`],
      ...(database ? [[POSTGRES, database.url] as const] : []),
    ];
    try {
      expect(await runPage(own, { replaced })).toEqual([]);
    } finally {
      await database?.drop();
    }
  });
});

describe("the flows of the pages", () => {
  let sandbox: Sandbox;
  let files: readonly (readonly [Block, string])[];
  beforeAll(async () => {
    sandbox = await openSandbox();
    await sandbox.run(["init", "."]);
    files = await writeAll(sandbox.folder, inLanguage("ts"));
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  test("have no error of types", async () => {
    const tsc = Bun.spawn([process.execPath, "x", "tsc", "--noEmit", "--pretty", "false", "-p", sandbox.folder], {
      cwd: ROOT,
      stdout: "pipe",
    });
    const said = await tsc.stdout.text();
    const places = new Map(files.map(([block, file]) => [file, block]));
    const faults = [...said.matchAll(/^(.*?)\((\d+),(\d+)\): error (.*)$/gm)].map(([, file = "", line, , what]) => {
      const block = places.get(join(ROOT, file)) ?? places.get(file);
      return block ? `${block.page}:${block.line + Number(line)}: ${what}` : `${file}:${line}: ${what}`;
    });
    expect([faults, await tsc.exited]).toEqual([[], 0]);
  });

  test("are loaded by the program", async () => {
    const faults: string[] = [];
    for (const [block, file] of files) {
      if (!block.text.includes("defineFlow(")) continue;
      const { exit, stderr } = await sandbox.run(["flows", "--flows", file]);
      if (exit !== 0) faults.push(`${placeOf(block)}: ${stderr}`);
    }
    expect(faults).toEqual([]);
  });
});

test.each(DATABASES)("what is shown as SQL for %s runs there", async (dialect, create) => {
  const database = await create();
  try {
    await (await database.openStore()).close();
    const written = inLanguage("sql");
    expect(written.length).toBeGreaterThan(0);
    const own = written.filter(({ text }) => /\bschema\b|taskonaut\./.test(text) === (dialect === "postgres"));
    for (const { text } of own) await runAndUndo(database.url, text);
  } finally {
    await database.drop();
  }
});

test("what is shown as JSON or YAML can be read", () => {
  const faults = [...inLanguage("json"), ...inLanguage("yaml")].flatMap((block) => {
    try {
      if (block.language === "json") JSON.parse(block.text);
      else Bun.YAML.parse(block.text);
      return [];
    } catch (error) {
      return [`${placeOf(block)}: ${String(error)}`];
    }
  });
  expect(faults).toEqual([]);
});

/** All statements at once, as a person pastes them; a role, say, is nothing that a test leaves behind. */
async function runAndUndo(url: string, text: string): Promise<void> {
  if (url.startsWith("sqlite:")) {
    using sqlite = new Database(url.slice("sqlite:".length));
    sqlite.run(`begin; ${text} rollback;`);
    return;
  }
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`begin; ${text} rollback;`);
  } finally {
    await sql.end();
  }
}

/** Those of a page beside each other, as it says where they stand. */
async function writeAll(folder: string, given: readonly Block[]): Promise<readonly (readonly [Block, string])[]> {
  const written = new Map<string, Block>();
  for (const block of given) {
    const name = block.file ?? `line-${block.line}.ts`;
    let path = join(folder, block.page.replace(".md", ""), name);
    // a later state of a file that the page shows twice
    while (written.has(path)) path = join(dirname(path), "later", name.split("/").at(-1) ?? "");
    written.set(path, block);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, block.text);
  }
  return [...written].map(([path, block]) => [block, path]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
