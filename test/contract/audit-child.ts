// A process that pauses and unpauses tools, with an entry of each: <address> <how often> <who>.

import { parseJson } from "../../src/core/record/json.ts";
import { openStore } from "../../src/store/open.ts";
import type { StoreAddress } from "../../src/store/address.ts";
import { draftOf } from "./audit-rows.ts";

const [address = "", times = "", who = ""] = process.argv.slice(2);
const store = await openStore(parseJson(address) as unknown as StoreAddress);
process.stdout.write("ready\n");
await Bun.stdin.text(); // until all are
for (let index = 0; index < Number(times); index++) {
  const id = crypto.randomUUID();
  await store.pauses.put(
    { scope: "tool", name: who, id, reason: id, made_by: who, aborts: 0 },
    { audit: draftOf(who, { who, reason: id }) },
  );
}
await store.close();
