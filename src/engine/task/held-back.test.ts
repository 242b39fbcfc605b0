import { expect, test } from "bun:test";
import type { PauseRow } from "../../store/store.ts";
import { describePause } from "./held-back.ts";

const pause: PauseRow = {
  scope: "flow",
  name: "order",
  id: "1",
  reason: "bank is down",
  made_by: "ada",
  aborts: 0,
  since: Date.UTC(2026, 10, 29, 3, 39, 25, 130),
};

test("a pause is described by its target, who made it, since when and why", () => {
  expect(describePause(pause)).toBe("flow order is paused by ada since 2026-11-29T03:39:25.130Z: bank is down");
  expect(describePause({ ...pause, scope: "all", name: "", reason: null })).toBe(
    "everything is paused by ada since 2026-11-29T03:39:25.130Z",
  );
});

test("a pause whose time is damaged is described without it", () => {
  expect(describePause({ ...pause, since: 9e15 })).toBe("flow order is paused by ada: bank is down");
});
