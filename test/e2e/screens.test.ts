// What every command shows in a real pseudo-terminal, in its usual outcome and in its main error, on narrow, usual and wide
// terminals. The pictures stand in `__snapshots__`: look at each one that changes (`bun test -u` takes it).

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { COMMANDS } from "../../src/cli/run-cli.ts";
import { Screen as Shown } from "../support/screen.ts";
import { normalizeMeasured, normalizeRun } from "./normal-screen.ts";
import { prepareScreens, type Screen, SCREENS } from "./screens.ts";

setDefaultTimeout(120_000);

const LIGHT = { COLORFGBG: "0;15" };
const DARK = { COLORFGBG: "15;0" };

let place: Awaited<ReturnType<typeof prepareScreens>>;
beforeAll(async () => {
  place = await prepareScreens();
});
afterAll(() => place.close());

interface Look {
  readonly exit: number;
  readonly lines: readonly string[];
  /** With `{red FAILED}` for what is red. */
  readonly painted: readonly string[];
}

async function look(screen: Screen, columns: number, env: Readonly<Record<string, string>> = {}): Promise<Look> {
  await using sandbox = await place.copy();
  for (const args of screen.before ?? []) expect((await sandbox.run(args)).exit).toBe(0);
  const terminal = await sandbox.terminal(screen.args(place.ids), { columns, env });
  for (const [text, typed] of screen.types ?? []) {
    await terminal.see(text);
    terminal.type(typed);
  }
  const exit = await terminal.exited();
  const shown = new Shown(columns, 100);
  await shown.write(terminal.raw);
  return { exit, lines: shown.lines, painted: shown.painted };
}

function textOf(screen: Screen, lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join("");
  return screen.measures ? normalizeMeasured(text) : normalizeRun(text);
}

test("every command has a screen of its usual outcome, and one of its main error", () => {
  const screensOf = (name: string): readonly boolean[] =>
    // what is shown until Ctrl-C ends with 130
    SCREENS.filter(({ command }) => command === name).map(({ exit }) => exit === 0 || exit === 130);
  const lacking = COMMANDS.map(({ name }) => name).filter(
    (name) => !screensOf(name).includes(true) || !screensOf(name).includes(false),
  );
  expect(lacking).toEqual([]);
});

const NAMES = new Set(COMMANDS.map(({ name }) => name));
const CASES = SCREENS.filter(({ command }) => NAMES.has(command)).map(
  (screen) => [`${screen.command} ${screen.what}`, screen] as const,
);

describe.each(CASES)("%s", (_, screen) => {
  test.each([40, 120])("at %p columns", async (columns) => {
    const { exit, lines } = await look(screen, columns);
    expect(textOf(screen, lines)).toMatchSnapshot();
    expect(exit).toBe(screen.exit);
  });

  test("at 80 columns, with its colours", async () => {
    const { exit, painted } = await look(screen, 80, DARK);
    expect(textOf(screen, painted)).toMatchSnapshot();
    expect(exit).toBe(screen.exit);
  });
});

/** Between them they have all the colours. */
const COLOURED = CASES.filter(([name]) =>
  /^(?:get-task of one that failed|get-tasks of|run-flow that fails)/.test(name),
);

test.each(COLOURED)("%s has the same colours on light and on dark", async (_, screen) => {
  const [light, dark] = await Promise.all([look(screen, 80, LIGHT), look(screen, 80, DARK)]);
  expect(textOf(screen, light.painted)).toBe(textOf(screen, dark.painted));
});
