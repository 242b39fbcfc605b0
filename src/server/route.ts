// One route of the API. The table is in `routes.ts`; each area has a file with its rows.

import type { Context } from "hono";
import type { Permission } from "../core/api/roles.ts";
import { IDEMPOTENCY_KEY_MAX } from "../core/limits.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Access } from "./access.ts";
import type { AddressOf } from "./caller.ts";
import type { RequestMetrics } from "./metrics-route.ts";
import type { Log } from "../core/log.ts";
import type { About } from "./about.ts";
import { inputInvalid } from "./check.ts";

/** The permission that a request needs. */
export function permissionOf({ method, needs }: Route): Permission {
  return needs ?? (method === "GET" ? "look" : "operate");
}

export interface Route {
  readonly method: "GET" | "POST";
  /** In Hono's form: `/tasks/:id`. */
  readonly path: string;
  /** Names of the query parameters that the route reads and checks; by default none. `ignored`: it accepts any. */
  readonly query?: readonly string[] | "ignored";
  /** By default `look` for reading, otherwise `operate`. */
  readonly needs?: Permission;
  /** The route changes nothing, or only does what a worker would do: it writes nothing to the audit log. */
  readonly isUnaudited?: true;
  readonly about: About;
  readonly handle: (c: Context) => Promise<Response>;
}

export interface RouteOptions {
  readonly taskonaut: Taskonaut;
  readonly maxBodyBytes: number;
  readonly log: Log;
  /** The program's version. */
  readonly version: string;
  readonly onLongWait: (request: Request) => void;
  /** For the login. */
  readonly access?: Access | undefined;
  readonly addressOf?: AddressOf | undefined;
  /** The metrics for Prometheus. */
  readonly metrics?: RequestMetrics | undefined;
}

/** A path parameter that the route must have. */
export function param(c: Context, name: string): string {
  return c.req.param(name) ?? "";
}

/** Throws input_invalid. */
export function readIdempotencyKey(key: string | undefined): string | undefined {
  if (key === undefined || (key.length >= 1 && key.length <= IDEMPOTENCY_KEY_MAX)) return key;
  const message = `expected 1 to ${IDEMPOTENCY_KEY_MAX} characters, received ${key.length}`;
  throw inputInvalid([{ path: "Idempotency-Key", message }]);
}
