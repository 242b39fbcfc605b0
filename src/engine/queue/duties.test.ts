import { expect, test } from "bun:test";
import { dutiesOf, type DutyTools } from "./duties.ts";

test("counts are put together after writes, and where nothing was written nothing is asked", async () => {
  let folds = 0;
  let fails = false;
  const writer = { batches: 0 };
  const fold = async (): Promise<void> => {
    folds += 1;
    if (fails) throw new Error("the database is away");
  };
  const duties = dutiesOf({
    writer,
    store: { counts: { fold } },
    clock: { now: () => 0 },
    flows: { all: () => [] },
    limits: { auditKeptMs: null },
  } as unknown as DutyTools);
  const duty = duties.find(({ name }) => name === "put counts together");
  const run = async (): Promise<number> => {
    await duty?.do(new AbortController().signal).catch(() => {});
    return folds;
  };
  expect(await run()).toBe(0);
  writer.batches = 3;
  expect([await run(), await run()]).toEqual([1, 1]);
  fails = true;
  writer.batches = 4;
  expect([await run(), await run()]).toEqual([2, 3]);
});
