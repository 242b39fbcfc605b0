import { expect, test } from "bun:test";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import { SILENT } from "../core/log.ts";
import { isAudited } from "./actor.ts";
import { routesOf } from "./routes.ts";

/** These routes make tasks, or drive them as a worker would. The login writes its entry itself. */
const WITHOUT = [
  "POST /flows/:name/tasks",
  "POST /session",
  "POST /tasks",
  "POST /tasks/:id/advance",
  "POST /tasks/:id/run",
];

test("whatever else changes something is written to the audit log, and nothing that is read", () => {
  const routes = routesOf({
    taskonaut: new FakeTaskonaut(),
    maxBodyBytes: 1,
    log: SILENT,
    version: "0.0.0",
    onLongWait: () => {},
  });
  const told = (which: typeof routes): readonly string[] =>
    which.map(({ method, path }) => `${method} ${path}`).toSorted();
  expect(told(routes.filter((route) => route.method === "POST" && !isAudited(route)))).toEqual(WITHOUT);
  expect(told(routes.filter((route) => route.method === "GET" && isAudited(route)))).toEqual([]);
});
