// bun run bench [name…]: measures, and prints one table for each bench. Never part of the tests: a machine's figures are
// compared with figures of the same run, by people.

import { advance } from "./advance.bench.ts";
import { backlog } from "./backlog.bench.ts";
import type { Bench } from "./bench.ts";
import { callers } from "./callers.bench.ts";
import { filters } from "./filters.bench.ts";
import { http } from "./http.bench.ts";
import { describeMachine } from "./machine.ts";
import { manyTasks } from "./many-tasks.bench.ts";
import { wholeProcess } from "./process.bench.ts";
import { schedules } from "./schedules.bench.ts";
import { steps } from "./steps.bench.ts";
import { formatTable } from "./table.ts";

const BENCHES: readonly Bench[] = [wholeProcess, advance, steps, callers, http, backlog, schedules, manyTasks, filters];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(", ")}. Known are: ${BENCHES.map((bench) => bench.name).join(", ")}.`);
  process.exit(2);
}

console.log(describeMachine());
for (const bench of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
  const rows = await bench.run();
  console.log(`\n${bench.title}\n\n${formatTable(rows)}`);
}
