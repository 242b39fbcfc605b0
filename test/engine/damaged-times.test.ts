// Rows that belong to no task, and say a time that is none.

import { describe, expect, test } from "bun:test";
import type { Engine } from "../../src/engine/engine-options.ts";
import { DATABASES } from "../support/databases.ts";
import { execute } from "../support/past-the-store.ts";
import { workerBench } from "./worker-bench.ts";

describe.each(DATABASES)("a time that is none on %s", (_name, create) => {
  const { bench } = workerBench(create);
  const far = { sqlite: "9000000000000000", postgresql: "'290000-01-01'" };

  test.each<[string, string, (engine: Engine) => Promise<unknown>, (engine: Engine) => Promise<unknown>, RegExp]>([
    [
      "tokens",
      "last_used_at",
      (engine) => engine.tokens.create({ name: "ci", role: "viewer" }),
      (engine) => engine.tokens.list(),
      /^The token ci in .* is damaged: table tokens, its last_used_at is not a time/,
    ],
    [
      "audit_log",
      "at",
      (engine) =>
        engine.audit.acting({ who: "ada", role: "admin", way: "cli" }, () =>
          engine.tokens.create({ name: "cd", role: "viewer" }),
        ),
      (engine) => engine.audit.list({ limit: 10 }),
      /^Entry 1 in .* is damaged: table audit_log, its at is not a time/,
    ],
    [
      "pauses",
      "since",
      (engine) => engine.pauses.pause({ scope: "tool", name: "echo" }),
      (engine) => engine.pauses.list(),
      /^The pause of .* in .* is damaged: table pauses, its since is not a time/,
    ],
  ])("in %s is told with its row", async (table, column, make, list, says) => {
    const engine = await bench.openEngine({});
    await make(engine);
    await execute(bench.database.url, {
      sqlite: `update ${table} set ${column} = ${far.sqlite}`,
      postgresql: `update ${table} set ${column} = ${far.postgresql}`,
    });
    await expect(list(engine)).rejects.toMatchObject({
      code: "record_damaged",
      details: { table },
      message: expect.stringMatching(says),
    });
  });
});
