// What the parts of the store ask of PostgreSQL.

import { KeyTurns } from "../../src/store/key-turns.ts";
import { admissionStore } from "../../src/store/postgres/admission.ts";
import { auditStore } from "../../src/store/postgres/audit.ts";
import type { PostgresClient } from "../../src/store/postgres/connection.ts";
import { counterStore } from "../../src/store/postgres/counters.ts";
import { countStore } from "../../src/store/postgres/counts.ts";
import { eventStore } from "../../src/store/postgres/events.ts";
import { figureStore } from "../../src/store/postgres/figures.ts";
import { limitStore } from "../../src/store/postgres/limits.ts";
import { pauseStore } from "../../src/store/postgres/pauses.ts";
import { removalStore } from "../../src/store/postgres/removal.ts";
import { scheduleStore } from "../../src/store/postgres/schedules.ts";
import type { Schema } from "../../src/store/postgres/schema.ts";
import { sessionStore } from "../../src/store/postgres/sessions.ts";
import { tokenStore } from "../../src/store/postgres/tokens.ts";
import type { Store } from "../../src/store/store.ts";
import type { PartName } from "./part-calls.ts";

/** What a statement that does several things one after the other is answered, so that it comes to the next one. */
export const ANSWERS: Readonly<Record<string, readonly unknown[][]>> = {
  "counters.fold": [[], []],
  "limits.settle": [[{ name: "limit_1" }], [{ granted: "[]", woken: "[]", visits: "[]", is_cut: false }]],
  "sessions.insert": [[]],
};

/** All of them with one client. */
export function partsOn(client: PostgresClient, schema: Schema): Pick<Store, PartName> {
  const use = <Result>(ask: (by: PostgresClient) => Promise<Result>): Promise<Result> => ask(client);
  const all = { read: use, look: use, write: use, grant: use };
  return {
    admission: admissionStore(use, schema),
    audit: auditStore(schema, use),
    counters: counterStore(all, schema),
    counts: countStore(use, use, schema),
    events: eventStore(use, schema),
    figures: figureStore(use, schema),
    limits: limitStore({ ...all, schema, turns: new KeyTurns(), onWoken: () => {} }),
    pauses: pauseStore(all, schema),
    removal: removalStore(use, schema),
    schedules: scheduleStore(schema, all),
    sessions: sessionStore(schema, all),
    tokens: tokenStore(schema, all),
  };
}
