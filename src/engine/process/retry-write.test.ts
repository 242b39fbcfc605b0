import { expect, test } from "bun:test";
import { TaskonautError } from "../../core/errors.ts";
import type { Change } from "../../store/store.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { retryWriteAfter } from "./retry-write.ts";

test("a caller is told once, after a second, that a write waits for the database", async () => {
  const clock = new FakeClock();
  const away = new TaskonautError("database_unavailable", "The database is away.");
  const told: string[] = [];
  let isAway = true;
  const written = retryWriteAfter(
    {} as Change,
    { error: away, start: clock.now() },
    {
      clock,
      store: { readTask: async () => undefined },
      writer: {
        submitChange: async () => {
          if (isAway) throw away;
          return true;
        },
      },
      deliveryMs: () => 60_000,
      tellWait: (what) => told.push(what),
    },
  );
  await clock.advance(900);
  expect(told).toEqual([]);
  await clock.advance(10_000);
  expect(told).toEqual(["the database: The database is away"]);
  isAway = false;
  await clock.advance(2_000);
  expect(await written).toBe(true);
});
