import { expect, test } from "bun:test";
import { readCursor, writeCursor } from "./cursor.ts";

const ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

test("a cursor is read as it was written", () => {
  expect(readCursor(writeCursor({ createdAt: 1_795_399_165_130, id: ID }))).toEqual({
    createdAt: 1_795_399_165_130,
    id: ID,
  });
});

test("a cursor belongs to its filter", () => {
  const place = { createdAt: 5, id: ID };
  const filter = { flow: ["order"], since: "2h" };
  expect(readCursor(writeCursor(place, filter), { since: "2h", flow: ["order"] })).toEqual(place);
  const others = [
    [writeCursor(place, filter), {}],
    [writeCursor(place), filter],
    [writeCursor(place, filter), { flow: ["ship"] }],
  ] as const;
  for (const [cursor, other] of others) {
    expect(() => readCursor(cursor, other)).toThrow(
      expect.objectContaining({
        code: "input_invalid",
        errors: [{ path: "cursor", message: "belongs to a list with other filters" }],
      }),
    );
  }
});

test("what is no cursor is refused", () => {
  const wrong = [
    "",
    "1",
    ID,
    `_${ID}`,
    `1_${ID.toUpperCase()}`,
    `1.5_${ID}`,
    `-1_${ID}`,
    `1_${ID}_`,
    `1_${ID}\n`,
    `${"9".repeat(16)}_${ID}`,
  ];
  for (const cursor of wrong) {
    expect(() => readCursor(cursor)).toThrow(
      expect.objectContaining({
        code: "input_invalid",
        errors: [{ path: "cursor", message: "not a cursor of a task list" }],
      }),
    );
  }
});
