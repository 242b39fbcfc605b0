// What a caller may do, by its role and by the flows of its token.

import { NO_STEPS } from "../core/record/step-range.ts";
import type { Context } from "hono";
import { TaskonautError } from "../core/errors.ts";
import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { mayDo, type Permission, rolesFor } from "../core/api/roles.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Caller } from "../core/api/tokens.ts";
import { callerOf } from "./caller.ts";
import { param, permissionOf, type Route } from "./route.ts";

/** These routes show no tasks. */
const OF_NO_FLOW = new Set(["/", "/openapi.json", "/flows", "/readyz", "/session", "/session/end", "/workers"]);

/** These routes show only the flows of their filter. */
const LISTS = new Set(["/tasks", "/tasks/counts", "/stats"]);

/** Throws forbidden. If it has to read the task first, also task_not_found and the like. */
export async function authorize(c: Context, route: Route, taskonaut: Taskonaut): Promise<void> {
  requirePermission(c, permissionOf(route));
  const caller = callerOf(c);
  if (caller.flows !== null) await checkFlow(c, { route, caller, flows: caller.flows, taskonaut });
}

/** Throws forbidden. */
export function requirePermission(c: Context, permission: Permission): void {
  const { name, role } = callerOf(c);
  if (mayDo(role, permission)) return;
  throw forbidden(
    `Token ${JSON.stringify(name)} has the role ${role}; this is for ${rolesFor(permission).join(", ")}.`,
  );
}

interface Question {
  readonly route: Route;
  readonly caller: Caller;
  readonly flows: readonly string[];
  readonly taskonaut: Taskonaut;
}

/** Refuses every request that is not known to be about one of the caller's flows. */
async function checkFlow(c: Context, { route, caller, flows, taskonaut }: Question): Promise<void> {
  const { path } = route;
  if (OF_NO_FLOW.has(path)) return;
  const asked = await flowsAsked(c, path, route.method, taskonaut);
  if (asked.length > 0 && asked.every((flow) => flows.includes(flow))) return;
  const advice = LISTS.has(path) && route.method === "GET" ? ` Ask for ?flow=${flows[0]}.` : "";
  throw forbidden(`Token ${JSON.stringify(caller.name)} is for ${flows.join(", ")} only.${advice}`);
}

/** Only the task's flow is needed, however many steps it has. */
const NO_LOOK = { steps: NO_STEPS };

async function flowsAsked(
  c: Context,
  path: string,
  method: Route["method"],
  taskonaut: Taskonaut,
): Promise<readonly string[]> {
  if (path.startsWith("/flows/:name")) return [param(c, "name")];
  if (path.startsWith("/tasks/:id")) return [(await taskonaut.getTaskSummary(param(c, "id"), NO_LOOK)).flow_name];
  if (path.startsWith("/schedules/:name")) return [(await taskonaut.schedules.get(param(c, "name"))).flow_name];
  if (path === "/tasks" && method === "POST") return [DEFAULT_FLOW];
  // without a filter the caller gets the events of its own flows
  if (path === "/events") return c.req.queries("flow") ?? callerOf(c).flows ?? [];
  if (LISTS.has(path)) return c.req.queries("flow") ?? [];
  return [];
}

function forbidden(message: string): TaskonautError {
  return new TaskonautError("forbidden", message);
}
