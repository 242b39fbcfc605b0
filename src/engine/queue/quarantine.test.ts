import { describe, expect, test } from "bun:test";
import { turn } from "../../../test/support/fake-clock.ts";
import { Quarantine } from "./quarantine.ts";

/** A quarantine, jobs that end when the test says, and how many places are taken. */
class Bench {
  taken = 0;
  readonly begun: string[] = [];
  readonly ended: string[] = [];
  readonly quarantine = new Quarantine(() => {
    this.taken += 1;
    return () => {
      this.taken -= 1;
    };
  });

  /** Returns a function that ends the job. */
  run(name: string): () => Promise<void> {
    const end = Promise.withResolvers<void>();
    const done = this.quarantine.run(async () => {
      this.begun.push(name);
      await end.promise;
      this.ended.push(name);
    });
    return async () => {
      end.resolve();
      await done;
      await turn();
    };
  }
}

describe("a quarantine", () => {
  test("does its jobs one after the other, in the order in which they came", async () => {
    const bench = new Bench();
    const ends = ["first", "second", "third"].map((name) => bench.run(name));
    await turn();
    for (const [index, end] of ends.entries()) {
      expect([bench.begun.length, bench.ended.length]).toEqual([index + 1, index]);
      await end();
    }
    expect(bench.begun).toEqual(["first", "second", "third"]);
    expect(bench.ended).toEqual(bench.begun);
  });

  test("takes one place from its first job to its last, however many wait", async () => {
    const bench = new Bench();
    expect(bench.taken).toBe(0);
    const ends = ["first", "second", "third"].map((name) => bench.run(name));
    for (const end of ends) {
      expect(bench.taken).toBe(1);
      await end();
    }
    expect(bench.taken).toBe(0);
  });

  test("takes a place again for a job that comes after all were done", async () => {
    const bench = new Bench();
    await bench.run("first")();
    expect(bench.taken).toBe(0);
    const end = bench.run("second");
    expect(bench.taken).toBe(1);
    await end();
    expect([bench.taken, bench.ended]).toEqual([0, ["first", "second"]]);
  });
});
