import { describe, expect, test } from "bun:test";
import type { DeathCause } from "../store/blame.ts";
import { CauseNote, LOOK_MS } from "./cause-note.ts";
import type { Seen } from "./shared-activity.ts";

class Notes {
  readonly written: (DeathCause | null)[] = [];
  isAway = false;
  #now = 1000;
  readonly note = new CauseNote(async (cause) => {
    if (this.isAway) throw new Error("The database is away.");
    this.written.push(cause);
  }, this.#now);

  /** Sees the same piece for this time. */
  async see(seen: Omit<Seen, "isLeaving" | "isListening">, ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      this.#now += LOOK_MS;
      this.note.look({ isLeaving: false, isListening: false, ...seen }, this.#now);
      await new Promise(setImmediate);
    }
  }
}

const flow = (count: number): Omit<Seen, "isLeaving" | "isListening"> => ({
  count,
  doing: "flow",
  culprit: { taskId: `task ${count}`, stepId: "" },
});
const idle = (count: number): Omit<Seen, "isLeaving" | "isListening"> => ({
  count,
  doing: undefined,
  culprit: { taskId: "", stepId: "" },
});

describe("what may be a worker's death", () => {
  test("is noted once it takes long, once, and taken back when it is done", async () => {
    const notes = new Notes();
    await notes.see(idle(0), 1000);
    await notes.see(flow(1), 200);
    await notes.see(idle(2), 50);
    expect(notes.written).toEqual([]);
    await notes.see(flow(3), 1000);
    expect(notes.written).toEqual([{ taskId: "task 3", stepId: "", seconds: 0.2 }]);
    await notes.see(idle(4), 1000);
    expect(notes.written.slice(1)).toEqual([null]);
  });

  test("is of another piece where that follows at once", async () => {
    const notes = new Notes();
    await notes.see(flow(1), 300);
    await notes.see(flow(3), 300);
    await notes.note.clear();
    expect(notes.written).toMatchObject([{ taskId: "task 1" }, null, { taskId: "task 3" }, null]);
  });

  test("is noted and taken back as soon as the database is there again", async () => {
    const notes = new Notes();
    notes.isAway = true;
    await notes.see(flow(1), 500);
    notes.isAway = false;
    await notes.see(flow(1), 50);
    notes.isAway = true;
    await notes.see(idle(2), 500);
    expect(notes.written).toMatchObject([{ taskId: "task 1" }]);
    notes.isAway = false;
    await notes.note.clear();
    await notes.note.clear();
    expect(notes.written.slice(1)).toEqual([null]);
  });
});
