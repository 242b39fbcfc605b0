// Filters and counts through the compiled binary: on both stores, and the same through a server as on the database.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { DIALECTS, openPlace } from "./place.ts";

setDefaultTimeout(120_000);

const QUESTIONS: readonly (readonly string[])[] = [
  ["--tag", "customer=c1"],
  ["--tag", "customer=c1", "--tag", "region=eu"],
  ["--flow", "echo_add", "--status", "completed", "--since", "1h"],
  ["--status", "PLANNED", "--until", "0s", "--limit", "1"],
  ["--finished-since", "1h", "--priority", "5"],
  ["--waiting-for", "signal:approved"],
  ["--needs-person"],
  ["--error", "timeout"],
  ["--count"],
  ["--count", "--by", "flow,status"],
  ["--count", "--tag", "customer=c2", "--by", "status"],
  ["--status", "FALED"],
  ["--tag", "customer"],
  ["--since", "soon"],
  ["--flow", "eco_add"],
  ["--count", "--flow", "echo_add", "--flow", "eco_add"],
  ["--schedule", "nightly"],
];

/** Each asks for tasks of a flow that there is not. */
const MISTYPED: readonly (readonly string[])[] = [
  ["get-tasks", "--flow", "eco_add"],
  ["get-tasks", "--count", "--flow", "eco_add"],
  ["cancel-tasks", "--dry-run", "--flow", "eco_add"],
  ["retry-tasks", "--yes", "--flow", "eco_add"],
  ["purge", "--dry-run", "--flow", "eco_add"],
  ["watch", "--flow", "eco_add"],
];

describe.each(DIALECTS)("%s", (dialect) => {
  test("what is asked of a server is answered as by the database", async () => {
    await using place = await openPlace(dialect);
    for (const [customer, ...more] of [
      ["c1", "--tag", "region=eu"],
      ["c1", "--mode", "create"],
      ["c2", "--mode", "create"],
    ] as const) {
      const made = await place.run(["run-flow", "echo_add", "--tag", `customer=${customer}`, ...more]);
      expect([made.exit, made.stderr]).toEqual([0, ""]);
    }
    const server = await place.serve();
    const counted: number[] = [];
    for (const question of QUESTIONS) {
      const ask = ["get-tasks", "--format", "ndjson", ...question];
      const own = await place.run(ask);
      const served = await place.run([...ask, "--api-base-url", server.url]);
      expect({ question, exit: served.exit, stdout: served.stdout }).toEqual({
        question,
        exit: own.exit,
        stdout: own.stdout,
      });
      counted.push(own.exit === 0 ? own.stdout.split("\n").length - 1 : -own.exit);
    }
    expect(counted).toEqual([2, 1, 1, 1, 1, 0, 0, 0, 1, 2, 1, -2, -2, -2, -2, -2, -2]);
    for (const asked of MISTYPED) {
      for (const where of [[], ["--api-base-url", server.url]]) {
        const { exit, stdout, stderr } = await place.run([...asked, ...where]);
        expect({ asked, exit, stdout }).toEqual({ asked, exit: 2, stdout: "" });
        expect(stderr).toMatch(/flow: unknown flow "eco_add"; known: echo_add; did you mean echo_add\?/);
      }
    }
    await server.stop();
  });
});
