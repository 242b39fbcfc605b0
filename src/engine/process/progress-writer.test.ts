import { expect, test } from "bun:test";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import type { ProgressNote } from "../../store/store.ts";
import { ProgressWriter } from "./progress-writer.ts";

const note = (stepId: string, progress = '{"done":1}'): ProgressNote => ({
  taskId: "t",
  stepId,
  tool: "send",
  progress,
});

/** The steps of each write. `isThere`: whether the store has the call of a step. */
function writing(isThere: (stepId: string) => boolean): {
  clock: FakeClock;
  writer: ProgressWriter;
  writes: string[][];
} {
  const clock = new FakeClock();
  const writes: string[][] = [];
  const noteProgress = async (_worker: string, notes: readonly ProgressNote[]): Promise<readonly string[]> => {
    const steps = notes.map(({ stepId }) => stepId);
    writes.push(steps);
    return steps.filter(isThere);
  };
  return { clock, writes, writer: new ProgressWriter({ store: { noteProgress }, clock, workerId: "w" }) };
}

test("of a tool that has ended nothing is written any more", async () => {
  const { clock, writer, writes } = writing(() => true);
  writer.note(note("ended"));
  writer.note(note("runs"));
  writer.forget("ended");
  await turn();
  await clock.advance(5000);
  expect(writes).toEqual([["runs"]]);
});

test("what has no row yet is written again every second, until its tool ends", async () => {
  const { clock, writer, writes } = writing((stepId) => stepId === "runs");
  writer.note(note("early"));
  writer.note(note("runs"));
  await turn();
  await clock.advance(2000);
  expect(writes.slice(0, 2)).toEqual([["early", "runs"], ["early"]]);
  writer.forget("early");
  const before = writes.length;
  await clock.advance(10_000);
  expect(writes).toHaveLength(before);
  writer.note(note("runs", '{"done":2}'));
  await turn();
  await clock.advance(1000);
  expect(writes.at(-1)).toEqual(["runs"]);
});
