import { expect, test } from "bun:test";

import { openConnection } from "./connection.ts";
import { migrate } from "./migrate.ts";
import { UPDATE_ENDED, UPDATE_GOING } from "./tasks.ts";

test("a change of a task that goes on looks after no index but that of states, and one that ends it after no rare one", async () => {
  const connection = await openConnection({ path: ":memory:", deadlineMs: 1000 });
  await migrate(connection, () => 0);
  const names = new Map(
    connection
      .prepare<{ rootpage: number; name: string }>("select rootpage, name from sqlite_schema")
      .all()
      .map(({ rootpage, name }) => [rootpage, name]),
  );
  const written = (text: string): ReadonlySet<string | undefined> => {
    const program = connection.prepare<{ opcode: string; p2: number }>(`explain ${text}`).all();
    return new Set(program.flatMap(({ opcode, p2 }) => (opcode === "OpenWrite" ? [names.get(p2)] : [])));
  };
  expect(written(UPDATE_GOING)).toEqual(new Set(["tasks", "tasks_ended"]));
  const ended = written(UPDATE_ENDED);
  for (const usual of ["tasks_due", "tasks_ended", "tasks_held", "tasks_open"]) expect(ended).toContain(usual);
  for (const rare of ["tasks_waiting", "tasks_expiring", "tasks_parked", "tasks_of_priority"])
    expect(ended).not.toContain(rare);
  connection.close();
});
