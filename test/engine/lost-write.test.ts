import { expect, test } from "bun:test";
import { join } from "node:path";
import { DATABASES } from "../support/databases.ts";

const CHILD = join(import.meta.dir, "lost-write-child.ts");

/** Far more than it takes; without the guard it takes for ever. */
const PATIENCE_MS = 20_000;

test.each(DATABASES)("%s: a worker whose write was lost goes on, whatever ended meanwhile", async (_, create) => {
  const database = await create();
  const child = Bun.spawn([process.execPath, CHILD, database.url], {
    stdout: "pipe",
    stderr: "inherit",
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  expect(await child.stdout.text()).toBe("COMPLETED\n");
  expect(await child.exited).toBe(0);
  await database.drop();
});
