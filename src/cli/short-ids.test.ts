import { expect, test } from "bun:test";
import { idColumnOf, showId } from "./short-ids.ts";

const A = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

test("ids are shown by the millisecond of their creation, or by more where that is the same", () => {
  const leastOf = (...ids: readonly string[]): number | undefined => idColumnOf(ids).least;
  expect(leastOf()).toBe(13);
  expect(leastOf(A, A)).toBe(13);
  expect(leastOf(A, "119ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071")).toBe(13);
  expect(leastOf(A, "019ab2c4-5d6e-7f81-9a1b-2c3d4e5f6071")).toBe(18);
  // a dash tells nothing apart
  expect(leastOf(A, "019ab2c4-5d6e-8f80-9a1b-2c3d4e5f6071")).toBe(15);
  expect(leastOf(A, "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6072")).toBe(36);
});

test("an id that is cut has no mark, so that it can be typed as it is", () => {
  expect(showId(A, 36)).toBe(A);
  expect(showId(A, 13)).toBe("019ab2c4-5d6e");
  expect(showId(A, 14)).toBe("019ab2c4-5d6e");
  expect(showId("\u001b[31m日本語", 12)).toBe("\\x1b[31m日…");
});
