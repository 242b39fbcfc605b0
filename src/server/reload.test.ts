import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT, type Log } from "../core/log.ts";
import { until } from "../../test/support/until.ts";
import { superviseServer } from "./reload.ts";

let folder: string;
let sources: string;
let journal: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-reload-"));
  sources = join(folder, "sources");
  journal = join(folder, "journal");
  mkdirSync(join(sources, "deep"), { recursive: true });
  writeFileSync(journal, "");
  // a server that reports when it starts and when it is asked to stop
  writeFileSync(
    join(folder, "child.js"),
    `const { appendFileSync } = require("node:fs");
     const [journal, mode] = process.argv.slice(2);
     process.on("disconnect", () => { appendFileSync(journal, "end "); process.exit(0); });
     appendFileSync(journal, "start ");
     if (mode === "crash") process.exit(3);
     setInterval(() => {}, 1000);`,
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Waits, because another process writes the journal. */
async function journalIs(expected: string): Promise<void> {
  await until(() => readFileSync(journal, "utf8").trim() === expected, `the journal is ${expected}`);
}

async function supervised(
  run: () => Promise<void>,
  { mode = "serve", log = SILENT }: { mode?: string; log?: Log } = {},
): Promise<void> {
  const controller = new AbortController();
  const command = [process.execPath, join(folder, "child.js"), journal, mode];
  const done = superviseServer({
    command,
    watch: [sources, join(folder, "flow.ts")].filter((path) => path === sources || mode === "file"),
    signal: controller.signal,
    log,
    graceMs: 10_000,
  });
  try {
    await run();
  } finally {
    controller.abort();
    await done;
  }
}

describe("run-app --reload", () => {
  test("starts the server anew when a source changes, and ends it when it is itself ended", async () => {
    await supervised(async () => {
      await journalIs("start");
      writeFileSync(join(sources, "deep", "flow.ts"), "1");
      appendFileSync(join(sources, "deep", "flow.ts"), "2");
      await journalIs("start end start");
      mkdirSync(join(sources, "new"));
      writeFileSync(join(sources, "flow.sql"), "1");
      await journalIs("start end start end start");
    });
    await journalIs("start end start end start end");
  });

  test("takes only sources for a change", async () => {
    const changed = Promise.withResolvers<unknown>();
    const log: Log = { ...SILENT, info: (_, fields) => changed.resolve(fields?.["file"]) };
    await supervised(
      async () => {
        await journalIs("start");
        // both count as one change, which is named after the last file that counts
        writeFileSync(join(sources, "deep", "flow.ts"), "1");
        writeFileSync(join(sources, "tasks.db-wal"), "1");
        expect(await changed.promise).toBe(join("deep", "flow.ts"));
      },
      { log },
    );
  });

  test("hears of a single file that an editor replaces, more than once", async () => {
    const file = join(folder, "flow.ts");
    const replace = (): void => {
      writeFileSync(join(folder, "flow.ts.new"), "1");
      renameSync(join(folder, "flow.ts.new"), file);
    };
    writeFileSync(file, "0");
    await supervised(
      async () => {
        await journalIs("start");
        replace();
        await journalIs("start end start");
        replace();
        await journalIs("start end start end start");
      },
      { mode: "file" },
    );
  });

  test("hears of what a single file imports from beside it, and not of other files there", async () => {
    const changed = Promise.withResolvers<unknown>();
    const log: Log = { ...SILENT, info: (_, fields) => changed.resolve(fields?.["file"]) };
    writeFileSync(join(folder, "flow.ts"), "0");
    await supervised(
      async () => {
        await journalIs("start");
        writeFileSync(join(folder, "helper.ts"), "1");
        writeFileSync(join(folder, "tasks.db"), "1");
        expect(await changed.promise).toBe("helper.ts");
      },
      { mode: "file", log },
    );
  });

  test("waits for the next change when the server crashes", async () => {
    const warned = Promise.withResolvers<void>();
    await supervised(
      async () => {
        await warned.promise;
        // only a wait can show that nothing happens: a loop would start a dozen servers meanwhile
        await Bun.sleep(300);
        await journalIs("start");
        writeFileSync(join(sources, "flow.ts"), "1");
        await journalIs("start start");
      },
      { mode: "crash", log: { ...SILENT, warn: () => warned.resolve() } },
    );
  });
});
