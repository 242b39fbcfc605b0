import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "../../../test/support/until.ts";
import { announce, watchAnnouncements } from "./watch.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-watch-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what happens in one turn of the event loop is told once, and other files are nobody's business", async () => {
  let news = 0;
  const watch = watchAnnouncements(folder, () => {
    news += 1;
  });
  writeFileSync(join(folder, "w.lock"), "");
  for (let count = 0; count < 100; count++) {
    // Each removal and new creation is an event of its own; the system already merges equal events.
    rmSync(join(folder, "announced"));
    writeFileSync(join(folder, "announced"), "");
  }
  announce(folder);
  await until(async () => news > 0);
  expect(news).toBeLessThan(20);
  await watch.close();
});

test("what is announced right after another announcement was heard is heard as well", async () => {
  let news = 0;
  let heard = Promise.withResolvers<void>();
  const watch = watchAnnouncements(folder, () => {
    news += 1;
    heard.resolve();
  });
  for (let round = 0; round < 50; round++) {
    for (let announcement = 0; announcement < 2; announcement++) {
      heard = Promise.withResolvers();
      announce(folder);
      await heard.promise;
    }
  }
  expect(news).toBeGreaterThanOrEqual(100);
  await watch.close();
});

test.each(["announced", ""])(
  "what somebody removed of the folder (%j) is made anew, and announces again",
  async (name) => {
    let news = 0;
    const watch = watchAnnouncements(folder, () => {
      news += 1;
    });
    rmSync(join(folder, name), { recursive: true });
    announce(folder); // nobody can hear it
    watch.keep();
    await until(async () => news === 1);
    const { ino } = lstatSync(join(folder, "announced"));
    watch.keep();
    expect(lstatSync(join(folder, "announced")).ino).toBe(ino);
    const before = news;
    announce(folder);
    await until(async () => news > before);
    await watch.close();
  },
);

test("where the folder cannot be watched, the watcher is told to look for itself", async () => {
  const watch = watchAnnouncements("/proc/none/tasks.db-workers", () => {});
  expect(watch.kind).toBe("polling");
  await watch.close();
});

test("who announces where nobody has ever watched leaves nothing behind", () => {
  rmSync(folder, { recursive: true });
  expect(() => announce(folder)).not.toThrow();
  expect(() => announce(undefined)).not.toThrow();
});
