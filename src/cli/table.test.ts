import { expect, test } from "bun:test";
import fc from "fast-check";
import { createPaint } from "../log/paint.ts";
import { showText } from "./cells.ts";
import { type Column, drawRows, drawTable, layOut } from "./table.ts";

type Row = readonly string[];

const plain = createPaint(false);

function column(place: number, over: Partial<Column<Row>> = {}): Column<Row> {
  return { head: `H${place}`, show: (row, width) => ({ text: showText(row[place] ?? "", width) }), ...over };
}

const draw = (columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] =>
  drawTable(columns, rows, { columns: width, paint: plain });

test("where there is room every column is as wide as its widest cell", () => {
  expect(draw([column(0), column(1), column(2)], [["a", "long text", "z"]], 80)).toEqual([
    "H0  H1         H2",
    "a   long text  z",
  ]);
});

test("a column whose cells are all empty is left out", () => {
  expect(
    draw(
      [column(0), column(1), column(2)],
      [
        ["a", "", "z"],
        ["b", "", ""],
      ],
      80,
    ),
  ).toEqual(["H0  H2", "a   z", "b"]);
});

test("a column that may be filled later is kept while more rows are to come", () => {
  const columns = [column(0), column(1, { least: 5 })];
  const layout = layOut(columns, [["a", ""]], { width: 80, isOpen: true });
  expect(drawRows(layout, [["b", "late comer"]], plain)).toEqual(["b   late…"]);
});

test("columns shrink before one goes, and the one with the highest number goes first", () => {
  const columns = [column(0), column(1, { least: 4, goes: 1 }), column(2, { least: 3, goes: 2 })];
  const rows = [["abcd", "efghijkl", "mnopqr"]];
  expect(draw(columns, rows, 22)).toEqual(["H0    H1        H2", "abcd  efghijkl  mnopqr"]);
  expect(draw(columns, rows, 17)).toEqual(["H0    H1     H2", "abcd  efgh…  mno…"]);
  expect(draw(columns, rows, 15)).toEqual(["H0    H1    H2", "abcd  efg…  mn…"]);
  expect(draw(columns, rows, 14)).toEqual(["H0    H1", "abcd  efghijkl"]);
  expect(draw(columns, rows, 9)).toEqual(["H0", "abcd"]);
  expect(draw(columns, rows, 3)).toEqual(["H0", "ab…"]);
});

test("room is given by turns", () => {
  const columns = [column(0, { least: 2, turn: 2 }), column(1, { least: 2, turn: 0 })];
  const rows = [["abcdefgh", "12345678"]];
  expect(draw(columns, rows, 14)[1]).toBe("abc…  12345678");
  expect(draw(columns, rows, 18)[1]).toBe("abcdefgh  12345678");
});

test("a stiff column has all that it wants, or its least", () => {
  const columns = [column(0, { least: 2, isStiff: true }), column(1)];
  const rows = [["abcdefgh", "12345678"]];
  expect(draw(columns, rows, 17)[1]).toBe("a…  12345678");
  expect(draw(columns, rows, 18)[1]).toBe("abcdefgh  12345678");
});

test("numbers stand under each other at their right ends", () => {
  expect(
    draw(
      [column(0, { right: true }), column(1)],
      [
        ["7", "a"],
        ["1234", "b"],
      ],
      80,
    ),
  ).toEqual(["  H0  H1", "   7  a", "1234  b"]);
});

test("whatever stands in it, no line of a table is wider than the terminal, nor is a character cut in half", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.constantFrom("日本語".repeat(20), "👩‍👩‍👧‍👦".repeat(9), "e\u0301".repeat(40), "\u001b[31mred\u009b", "", "💳 paid"),
  );
  const shape = fc.record({
    least: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
    goes: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    turn: fc.integer({ min: 0, max: 2 }),
    right: fc.boolean(),
    isStiff: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(shape, { minLength: 1, maxLength: 5 }),
      fc.array(fc.array(text, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 20, max: 300 }),
      (shapes, rows, width) => {
        const columns = shapes.map(({ least, goes, ...rest }, place) =>
          column(place, { ...rest, ...(least !== undefined && { least }), ...(goes !== undefined && { goes }) }),
        );
        for (const line of draw(columns, rows, width)) {
          expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
          expect(line).not.toMatch(/\p{Cc}/u);
          expect(line.isWellFormed()).toBe(true);
        }
      },
    ),
  );
});
