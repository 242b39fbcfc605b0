import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Screen } from "../../../test/support/screen.ts";
import { lineColumns, LiveArea } from "./live-area.ts";

const ROWS = 12;

class Shown {
  readonly screen: Screen;
  readonly area: LiveArea;

  constructor(
    private columns: number,
    rows = ROWS,
  ) {
    this.screen = new Screen(columns, rows);
    this.area = new LiveArea(() => this.columns);
  }

  draw(text: string, ...lines: string[]): Promise<void> {
    return this.screen.write(this.area.draw(text, lines));
  }

  resize(columns: number): void {
    this.columns = columns;
    this.screen.resize(columns, ROWS);
  }
}

describe("the live area", () => {
  test("lines are replaced in place, and the cursor rests below them", async () => {
    const shown = new Shown(40);
    await shown.screen.write("before\n");
    await shown.draw("", "one", "two", "three");
    await shown.draw("", "one more", "t");
    expect(shown.screen.lines).toEqual(["before", "one more", "t"]);
    expect(shown.screen.cursor).toEqual({ column: 0, row: 3 });
  });

  test("they stand below what somebody else has written, whether or not that has ended its line", async () => {
    for (const written of ["theirs\n", "no end", "x".repeat(40), `${"x".repeat(39)}\n`]) {
      const shown = new Shown(40);
      await shown.draw("", "one", "two");
      await shown.draw("");
      await shown.screen.write(written);
      await shown.screen.write(shown.area.below("", ["one", "two"]));
      await shown.draw("said\n", "one", "two");
      // where a row of spaces led on to the next line, the emulator takes both for one
      const rows = shown.screen.lines.flatMap((line) => line.split(/ {2,}/));
      expect(rows).toEqual([written.trimEnd(), "said", "one", "two"]);
      expect(shown.screen.cursor).toEqual({ column: 0, row: 4 });
    }
  });

  test("what is said stands above them, and what is unfinished waits for its end", async () => {
    const shown = new Shown(40);
    await shown.draw("", "live");
    await shown.screen.write(shown.area.say("a log line\nunfin"));
    expect(shown.screen.lines).toEqual(["a log line", "live"]);
    await shown.screen.write(shown.area.say("ished\n"));
    expect(shown.screen.lines).toEqual(["a log line", "unfinished", "live"]);
    await shown.screen.write(shown.area.say("no end"));
    await shown.screen.write(shown.area.end({ keeps: true }));
    expect(shown.screen.lines).toEqual(["a log line", "unfinished", "no end", "live"]);
    await shown.screen.write("after\n");
    expect(shown.screen.lines.at(-1)).toBe("after");
  });

  test("an unfinished line without a bound is not kept for ever", () => {
    const area = new LiveArea(() => 80);
    expect(area.say("x".repeat(3000))).not.toContain("x");
    expect(area.say("y".repeat(3000))).toContain("xy");
  });

  test("a key that the terminal echoes is wiped away", async () => {
    const shown = new Shown(40);
    await shown.draw("", "one", "two");
    await shown.screen.write("^C");
    await shown.screen.write(shown.area.say("Stopping.\n"));
    expect(shown.screen.lines).toEqual(["Stopping.", "one", "two"]);
  });

  test("the end takes the lines away, and the next text stands in their place", async () => {
    const shown = new Shown(40);
    await shown.draw("", "one", "two");
    await shown.screen.write(shown.area.end({ keeps: false }));
    await shown.screen.write("the table\n");
    expect(shown.screen.lines).toEqual(["the table"]);
  });

  test("a program that was stopped draws anew below what others have shown", async () => {
    const shown = new Shown(40);
    await shown.draw("", "one");
    await shown.screen.write("[1]+ Stopped\n$ fg\n");
    shown.area.forget();
    await shown.draw("", "two");
    expect(shown.screen.lines).toEqual(["one", "[1]+ Stopped", "$ fg", "two"]);
  });

  test("colors of a line that is said do not reach the lines below", () => {
    const area = new LiveArea(() => 80);
    expect(area.draw("\u001B[31mred\n", ["live"])).toContain("red\n\u001B[0mlive\n");
  });

  test("whatever is said, drawn and resized, nothing is torn and nothing is left behind", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "bc", " ", "漢", "👩‍👩‍👧", "é", "…"), maxLength: 60 });
    const step = fc.oneof(
      fc.record({ kind: fc.constant("say" as const), text }),
      fc.record({ kind: fc.constant("draw" as const), lines: fc.array(text, { maxLength: ROWS - 4 }) }),
      fc.record({ kind: fc.constant("resize" as const), columns: fc.integer({ min: 30, max: 60 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        let columns = 60;
        const shown = new Shown(columns);
        const said: string[] = [];
        let lines: string[] = [];
        for (const each of steps) {
          if (each.kind === "say") {
            said.push(each.text.trimEnd());
            await shown.screen.write(shown.area.say(`${each.text}\n`));
          } else if (each.kind === "draw") {
            // as narrow as the property may make the terminal: what is broken into several rows is tested by itself
            lines = each.lines.map((line) => cut(line, lineColumns(30)));
            await shown.draw("", ...lines);
          } else {
            ({ columns } = each);
            shown.resize(columns);
          }
        }
        const wanted = [...said, ...lines.map((line) => line.trimEnd())];
        while (wanted.at(-1) === "") wanted.pop();
        expect(shown.screen.lines).toEqual(wanted);
      }),
      { numRuns: 200 },
    );
  });

  test("lines that a narrower terminal has broken are counted as they stand", async () => {
    const shown = new Shown(60);
    await shown.screen.write("before\n");
    await shown.draw("", "x".repeat(50), "y");
    shown.resize(30);
    await shown.draw("said\n", "z".repeat(29), "y");
    expect(shown.screen.lines).toEqual(["before", "said", "z".repeat(29), "y"]);
  });
});

function cut(text: string, columns: number): string {
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (Bun.stringWidth(kept + segment) > columns) break;
    kept += segment;
  }
  return kept;
}
