import { expect, test } from "bun:test";

import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import { tokenOf } from "../../test/support/fake-tokens.ts";
import type { AuditEntry } from "../core/api/audit.ts";
import type { Pause } from "../core/api/pauses.ts";
import type { Worker } from "../core/api/worker.ts";

const AT = "2026-11-23T00:00:00.000Z";
const TOKEN = tokenOf();
const PAUSE: Pause = { scope: "tool", name: "pay", reason: null, by: "ada", since: AT };
const WORKER: Worker = {
  id: "w1",
  name: "host:1",
  state: "alive",
  concurrency: 1,
  flows: [],
  codes: {},
  tasks: 0,
  started_at: AT,
  lease_until: AT,
};
const ENTRY: AuditEntry = {
  seq: 1,
  at: AT,
  who: "ada",
  token_id: null,
  role: "admin",
  way: "cli",
  action: "pause",
  target: { kind: "tool", id: "pay" },
  reason: null,
  request_id: null,
  address: null,
  before: null,
  after: null,
  hash: "h",
};
const damage = "The row is damaged.";

const COMMANDS: Readonly<Record<string, (taskonaut: FakeTaskonaut) => void>> = {
  tokens: ({ tokens }) => (tokens.list = async () => [TOKEN, { ...TOKEN, id: "t2", damage }]),
  pauses: ({ pauses }) => (pauses.list = async () => [PAUSE, { ...PAUSE, name: "other", damage }]),
  workers: (taskonaut) => (taskonaut.listWorkers = async () => [WORKER, { ...WORKER, id: "w2", damage }]),
  "audit-log": ({ audit }) => (audit.list = async () => ({ entries: [ENTRY, { ...ENTRY, seq: 2, damage }] })),
};

test.each(Object.entries(COMMANDS))(
  "%s shows all rows, then says which is damaged, and exits with 5",
  async (name, fill) => {
    const taskonaut = new FakeTaskonaut();
    fill(taskonaut);
    const asJson = await cli([name, "--json"], { taskonaut });
    expect(asJson.code).toBe(5);
    expect(JSON.parse(asJson.stdout)).toMatchObject([{}, { damage }]);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ code: "record_damaged", message: damage });
    const readable = await cli([name, "--format", "table"], { taskonaut });
    expect(readable.code).toBe(5);
    expect(readable.stdout.trim().split("\n")).toHaveLength(3);
    expect(readable.stderr).toContain(`error: ${damage}`);
  },
);
