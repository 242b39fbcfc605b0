// What happened when, at home and by way of a server, on both stores.

import { describe, expect, test } from "bun:test";
import { createClient } from "../../src/client/client.ts";
import { DELAY_RANGES } from "../../src/core/record/delays.ts";
import { startServer } from "../../src/server/serve.ts";
import { DATABASES } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { rejection } from "../support/rejection.ts";

const MINUTE = 60_000;

describe.each(DATABASES)("stats on %s", (_name, createDatabase) => {
  test("steps follow each other without a gap, and are the same from a server", async () => {
    const database = await createDatabase();
    const store = await database.openStore();
    const taskonaut = engineOn(store, { flows: [] });
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false });
    try {
      const minute = Math.floor((await store.now()) / MINUTE) * MINUTE;
      const counts = { created: 4, completed: 2, failed: 1, cancelled: 1 };
      const delays = Array.from({ length: DELAY_RANGES }, () => 0).with(9, 10);
      const order = { ...counts, begins_at: minute - 2 * MINUTE, flow_name: "order", delays };
      await store.counters.write("w", [order, { ...order, flow_name: "other" }]);
      const client = createClient({ baseUrl: server.url });
      const until = new Date(minute).toISOString();
      const request = { since: new Date(minute - 10 * MINUTE).toISOString(), until, flow: "order" };
      const stats = await taskonaut.readStats(request);
      const delay = { claims: 10, p50_ms: 750, p95_ms: 975 };
      const { flow: _flow, ...ofAll } = request;
      expect(stats).toMatchObject({ ...ofAll, step_ms: MINUTE, total: { ...counts, queue_delay: delay } });
      expect(stats.steps.map(({ at, created }) => [(minute - Date.parse(at)) / MINUTE, created])).toEqual(
        [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((before) => [before, before === 2 ? 4 : 0]),
      );
      expect(stats.steps[0]?.queue_delay).toEqual({ claims: 0, p50_ms: null, p95_ms: null });
      expect(await client.readStats(request)).toEqual(stats);
      expect((await client.readStats(ofAll)).total.created).toBe(8);
      const long = [await client.readStats({ since: "2d" }), await client.readStats({ since: "90d" })];
      expect(long.map(({ step_ms }) => step_ms / MINUTE)).toEqual([15, 360]);
      expect(Math.max(...long.map(({ steps }) => steps.length))).toBeLessThanOrEqual(401);
    } finally {
      await server.stop();
      await database.drop();
    }
  });

  test("what cannot be meant is refused, with what would be right", async () => {
    const database = await createDatabase();
    const taskonaut = engineOn(await database.openStore(), { flows: [] });
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false });
    try {
      for (const door of [taskonaut, createClient({ baseUrl: server.url })]) {
        const errors = [
          await rejection(door.readStats({ since: "yesterday" })),
          await rejection(door.readStats({ since: "1h", until: "2h" })),
        ];
        expect(errors).toMatchObject([{ code: "input_invalid" }, { code: "input_invalid" }]);
        const [first = "", second = ""] = errors.map((error) => String(error));
        expect(first).toContain("or how long ago: 30m, 2h, 7d");
        expect(second).toContain("since must be before the end");
      }
      expect((await fetch(`${server.url}/stats?flows=order`)).status).toBe(422);
    } finally {
      await server.stop();
      await database.drop();
    }
  });
});
