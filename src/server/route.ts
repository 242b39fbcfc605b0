// One route of the API. The table is in `routes.ts`; a file per area gives its rows.

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

/** What a request wants to be allowed. */
export function permissionOf({ method, needs }: Route): Permission {
  return needs ?? (method === "GET" ? "look" : "operate");
}

export interface Route {
  readonly method: "GET" | "POST";
  /** As Hono writes it: `/tasks/:id`. */
  readonly path: string;
  /** Names of the parameters that it takes and checks itself; by default it takes none. `ignored`: whatever comes. */
  readonly query?: readonly string[] | "ignored";
  /** By default `look` for what is read, else `operate`. */
  readonly needs?: Permission;
  /** It changes nothing, or only does what a worker would do: nothing is written to the audit log. */
  readonly isUnaudited?: true;
  readonly about: About;
  readonly handle: (c: Context) => Promise<Response>;
}

export interface RouteOptions {
  readonly taskonaut: Taskonaut;
  readonly maxBodyBytes: number;
  readonly log: Log;
  /** Of the program. */
  readonly version: string;
  readonly onLongWait: (request: Request) => void;
  /** Where one can log in. */
  readonly access?: Access | undefined;
  readonly addressOf?: AddressOf | undefined;
  /** What is told to Prometheus. */
  readonly metrics?: RequestMetrics | undefined;
}

/** A parameter of the path that the route has. */
export function param(c: Context, name: string): string {
  return c.req.param(name) ?? "";
}

/** Throws input_invalid. */
export function readIdempotencyKey(key: string | undefined): string | undefined {
  if (key === undefined || (key.length >= 1 && key.length <= IDEMPOTENCY_KEY_MAX)) return key;
  const message = `expected 1 to ${IDEMPOTENCY_KEY_MAX} characters, received ${key.length}`;
  throw inputInvalid([{ path: "Idempotency-Key", message }]);
}
