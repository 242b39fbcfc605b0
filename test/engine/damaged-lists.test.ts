// Rows that belong to no task, and say what no taskonaut has written: a list tells of them, and of all others.

import { describe, expect, test } from "bun:test";
import type { Engine } from "../../src/engine/engine-options.ts";
import { DATABASES } from "../support/databases.ts";
import { execute } from "../support/past-the-store.ts";
import { workerBench } from "./worker-bench.ts";

interface Kind {
  readonly make: (engine: Engine, name: "bad" | "good") => Promise<unknown>;
  readonly list: (engine: Engine) => Promise<readonly { readonly damage?: string }[]>;
  /** Which row is the bad one. */
  readonly where: string;
  readonly told: string;
}

const ADA = { who: "ada", role: "admin", way: "cli" } as const;

const KINDS: Readonly<Record<string, Kind>> = {
  tokens: {
    make: (engine, name) => engine.tokens.create({ name, role: "viewer" }),
    list: (engine) => engine.tokens.list(),
    where: "name = 'bad'",
    told: "The token bad, \\w+",
  },
  audit_log: {
    make: (engine, who) =>
      engine.audit.acting({ ...ADA, who }, () => engine.tokens.create({ name: "cd", role: "viewer" })),
    list: async (engine) => (await engine.audit.list({ limit: 10 })).entries,
    where: "who = 'bad'",
    told: "Entry 1",
  },
  pauses: {
    make: (engine, name) => engine.pauses.pause({ scope: "tool", name }),
    list: (engine) => engine.pauses.list(),
    where: "name = 'bad'",
    told: "The pause of tool bad",
  },
};

const FAR = { sqlite: "9000000000000000", postgresql: "'290000-01-01'" };

describe.each(DATABASES)("a list with a damaged row on %s", (_name, create) => {
  describe.each<[table: string, set: string, says: string, free?: string]>([
    ["tokens", "last_used_at = $far", "its last_used_at is not a time"],
    ["tokens", "expires_at = $far", "its expires_at is not a time"],
    ["tokens", "role = 'frob'", 'its role is "frob", which does not exist', "tokens_role_check"],
    ["tokens", "hides_payloads = 7", "its hides_payloads is 7", "tokens_hides_payloads_check"],
    ["tokens", "old_hash = 'x'", "it breaks the rule old_secret_ends", "old_secret_ends"],
    ["tokens", "flows = '{'", "its flows is not JSON of names"],
    ["audit_log", "at = $far", "its at is not a time"],
    ["audit_log", "way = 'frob'", 'its way is "frob", which does not exist', "audit_log_way_check"],
    ["pauses", "since = $far", "its since is not a time"],
  ])("(%s: %s)", (table, set, says, free) => {
    const { bench } = workerBench(create);

    test("tells what is wrong with it, and hides no other", async () => {
      const kind = KINDS[table];
      if (!kind) throw new Error(`There is no ${table}.`);
      const engine = await bench.openEngine({});
      await kind.make(engine, "bad");
      await kind.make(engine, "good");
      const update = `update ${table} set ${set} where ${kind.where}`;
      await execute(bench.database.url, {
        sqlite: update.replace("$far", FAR.sqlite),
        postgresql: `${free === undefined ? "" : `alter table ${table} drop constraint ${free};`}
          ${update.replace("$far", FAR.postgresql)}`,
      });
      const rows = await kind.list(engine);
      expect(rows).toHaveLength(2);
      const damages = rows.flatMap((row) => row.damage ?? []);
      expect(damages).toHaveLength(1);
      expect(damages[0]).toMatch(new RegExp(`^${kind.told} in .* is damaged: table ${table}, ${says}\\.`));
    });
  });

  describe("of a token that is shown", () => {
    const { bench } = workerBench(create);

    test("is told to who shows it, and lets nobody in", async () => {
      const engine = await bench.openEngine({});
      const { token, secret } = await engine.tokens.create({ name: "ci", role: "viewer" });
      await execute(bench.database.url, { sqlite: "update tokens set flows = '{'" });
      const told = { code: "record_damaged", details: { table: "tokens" } };
      await expect(engine.tokens.admit(secret)).rejects.toMatchObject(told);
      await expect(engine.tokens.revoke(token.id)).rejects.toMatchObject(told);
      expect(await engine.tokens.admit(secret.replace(/.{3}$/, "aaa"))).toBeUndefined();
    });
  });

  describe("of the head of the audit log", () => {
    const { bench } = workerBench(create);

    test.each<[string, RegExp]>([
      ["seq = 0", /table audit_head, (?:its seq is less than that of the last entry|no entry can follow it)/],
      ["seq = -1", /table audit_head, (?:its seq is not the number of an entry|no entry can follow it)/],
    ])("(%s) is told by whoever is to write an entry", async (set, says) => {
      const engine = await bench.openEngine({});
      const make = (): Promise<unknown> =>
        engine.audit.acting(ADA, () => engine.tokens.create({ name: "ci", role: "viewer" }));
      await execute(bench.database.url, { sqlite: "update audit_head set seq = (select count(*) from audit_log)" });
      await make();
      await make();
      await execute(bench.database.url, { sqlite: `update audit_head set ${set}` });
      // PostgreSQL counts on from -1, and finds the numbers after 0 taken
      await expect(make().then(make)).rejects.toMatchObject({
        code: "record_damaged",
        message: expect.stringMatching(says),
      });
    });
  });
});

const [, createSqlite] = DATABASES.find(([name]) => name === "sqlite")!;

describe("an audit log with an entry of a number far beyond the others", () => {
  const { bench } = workerBench(createSqlite);

  test("is listed at once", async () => {
    const engine = await bench.openEngine({});
    for (const name of ["a", "b"]) {
      await engine.audit.acting(ADA, () => engine.tokens.create({ name, role: "viewer" }));
    }
    await execute(bench.database.url, { sqlite: "update audit_log set seq = 9000000000000000 where seq = 2" });
    const { entries } = await engine.audit.list({ limit: 10 });
    expect(entries.map(({ seq }) => seq)).toEqual([9000000000000000, 1]);
  });
});
