// The audit log of the compiled binary: commands on the database and through a server, each with its reason.

import { Database } from "bun:sqlite";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, setDefaultTimeout, test } from "bun:test";
import { openSandbox } from "./harness.ts";
import { dataOf } from "./served.ts";

setDefaultTimeout(120_000);

test("who has done what by which way, and why; and who altered it", async () => {
  await using sandbox = await openSandbox();
  const run = async (...args: readonly string[]): Promise<unknown> => dataOf(await sandbox.run([...args, "--json"]));
  await run("run-flow");
  await run("pause", "echo_add", "--reason", "the bank is down");
  const { secret } = (await run("tokens", "create", "--name", "ops", "--role", "admin")) as { readonly secret: string };
  const server = await sandbox.serve();
  const remote = { TASKONAUT_API_TOKEN: secret };
  const asked = ["--api-base-url", server.url, "--json"];
  const unpaused = await sandbox.run(["unpause", "echo_add", "--reason", "größer als 100 %", ...asked], {
    env: remote,
  });
  expect(unpaused.exit).toBe(0);
  const log = await run("audit-log");
  expect(log).toMatchObject([
    {
      seq: 3,
      action: "unpause",
      who: "ops",
      role: "admin",
      way: "http",
      reason: "größer als 100 %",
      address: "127.0.0.1",
    },
    { seq: 2, action: "tokens create", way: "cli", reason: null },
    { seq: 1, action: "pause", way: "cli", reason: "the bank is down", target: { kind: "flow", id: "echo_add" } },
  ]);
  expect((log as { who: string }[])[2]?.who).toEndWith(`@${hostname()}`);
  // a server tells the same
  expect(dataOf(await sandbox.run(["audit-log", ...asked], { env: remote }))).toEqual(log);
  expect(dataOf(await sandbox.run(["audit-log", "--way", "http", ...asked], { env: remote }))).toHaveLength(1);
  // what nobody ever does is no filter that nothing matches
  for (const by of [[], asked]) {
    const { exit, stdout, stderr } = await sandbox.run(["audit-log", "--action", "cancel-tsk", ...by], { env: remote });
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/unknown action .*cancel-tsk.*; known: cancel-task, .*; did you mean cancel-task\?/);
  }
  const refused = await fetch(`${server.url}/audit-log?action=nope`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  expect([refused.status, await refused.json()]).toMatchObject([422, { errors: [{ path: "action" }] }]);
  expect(dataOf(await sandbox.run(["audit-log", "verify", ...asked], { env: remote }))).toMatchObject({ intact: true });
  const database = new Database(join(sandbox.folder, "taskonaut", "taskonaut.db"));
  database.run("pragma busy_timeout = 10000"); // the server writes to the file now and then
  database.run("update audit_log set reason = null where seq = 1");
  database.run("delete from audit_log where seq = 3");
  database.close();
  const verified = await sandbox.run(["audit-log", "verify", "--format", "table"]);
  expect([verified.exit, verified.stdout]).toEqual([
    1,
    "The audit log is not as it was written:\n- entry 1 was changed\n- entry 3 was removed from the end\n",
  ]);
});
