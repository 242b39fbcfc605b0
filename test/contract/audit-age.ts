// The audit log as it would be if its entries had been written long ago.

import { canonicalEntry } from "../../src/core/record/audit.ts";
import type { Store } from "../../src/store/store.ts";
import type { Place } from "./place.ts";

/** Gives each entry the age in milliseconds that stands at its place, and chains all of them anew. */
export async function ageEntries(
  store: Store,
  { place, ages }: { place: Place; ages: readonly number[] },
): Promise<void> {
  const now = await store.now();
  const isSqlite = store.dialect === "sqlite";
  let before = "";
  for (const [index, age] of ages.entries()) {
    const [row] = await store.audit.walk(index, 1);
    if (!row) throw new Error(`There is no entry ${index + 1}.`);
    const at = now - age;
    const hash = new Bun.CryptoHasher("sha256")
      .update(canonicalEntry({ ...row, at, previous_hash: before }))
      .digest("hex");
    const time = isSqlite ? String(at) : `to_timestamp(${at} / 1000.0)`;
    const chained = `at = ${time}, previous_hash = '${before}', hash = '${hash}'`;
    await place.execute(`update audit_log set ${chained} where seq = ${row.seq}`);
    before = hash;
  }
  await place.execute(`update audit_head set hash = '${before}' where id = 1`);
}
