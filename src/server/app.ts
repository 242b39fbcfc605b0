// The HTTP API (docs/http-api.md): access rules first, then the route. One mapper handles every error.

import { Hono, type MiddlewareHandler } from "hono";
import { getPath } from "hono/utils/url";
import { TaskonautError } from "../core/errors.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { SILENT, type Log } from "../core/log.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { answerMetrics, type RequestMetrics } from "./metrics-route.ts";
import { actorOf, isAudited } from "./actor.ts";
import { authorize } from "./authorize.ts";
import { Access, type AccessOptions, guardAccess } from "./access.ts";
import { problemResponse } from "./errors.ts";
import { refuseQuery } from "./query.ts";
import type { Route } from "./route.ts";
import { routesOf } from "./routes.ts";
import { type ReadUi, serveUi } from "./ui-files.ts";

export interface AppOptions extends AccessOptions {
  /** The largest request body; by default 64 KiB. */
  readonly maxBodyBytes?: number | undefined;
  readonly log?: Log | undefined;
  /** The program's version, for `GET /`. */
  readonly version?: string | undefined;
  /** The dashboard's files. Unset: there is no dashboard. */
  readonly readUi?: ReadUi | undefined;
  /** The metrics for Prometheus. Unset: there is no /metrics. */
  readonly metrics?: RequestMetrics | undefined;
  /** Called for a request that is admitted and completely read, and whose answer may take as long as a task's tools. */
  readonly onLongWait?: ((request: Request) => void) | undefined;
}

export function createApp(taskonaut: Taskonaut, options: AppOptions): Hono {
  const log = options.log ?? SILENT;
  const { metrics } = options;
  const access = new Access(options);
  const routes = routesOf({
    taskonaut,
    maxBodyBytes: options.maxBodyBytes ?? DEFAULT_LIMITS.inputBytes,
    log,
    version: options.version ?? "unknown",
    onLongWait: options.onLongWait ?? (() => {}),
    metrics,
    access: options.sessions && access,
    addressOf: options.addressOf,
  });
  const app = new Hono({ getPath: pathOf });
  const matched = new WeakMap<Request, string>();
  if (log.debug) app.use(logRequest(log));
  if (metrics) app.use(countRequest(metrics, matched));
  app.use(guardAccess(access));
  for (const route of routes) {
    const { method, path, query, handle } = route;
    app.on(method, path, async (c) => {
      if (metrics) matched.set(c.req.raw, path);
      await authorize(c, route, taskonaut);
      if (query === undefined) refuseQuery(c);
      if (!isAudited(route)) return handle(c);
      return taskonaut.audit.acting(actorOf(c, options.addressOf), () => handle(c));
    });
  }
  if (options.readUi) serveUi(app, options.readUi);
  for (const [path, allow] of methodsByPath(routes)) {
    app.all(path, (c) => {
      throw new TaskonautError(
        "method_not_allowed",
        `${c.req.path} does not take ${c.req.method}; it takes ${allow}.`,
        {
          details: { allow },
        },
      );
    });
  }
  app.notFound((c) =>
    problemResponse(new TaskonautError("route_not_found", `There is no route ${c.req.method} ${c.req.path}.`), log),
  );
  app.onError((error) => problemResponse(error, log));
  return app;
}

/** The app of a process that only works: metrics and a health check. */
export function createMetricsApp(metrics: RequestMetrics, options: AccessOptions & { readonly log: Log }): Hono {
  const app = new Hono({ getPath: pathOf });
  app.use(guardAccess(new Access(options)));
  app.get("/metrics", (c) => answerMetrics(c, metrics));
  app.get("/healthz", (c) => c.json({ status: "alive" }));
  app.notFound((c) =>
    problemResponse(
      new TaskonautError(
        "route_not_found",
        `There is no route ${c.req.method} ${c.req.path}; this worker has /metrics and /healthz.`,
      ),
      options.log,
    ),
  );
  app.onError((error) => problemResponse(error, options.log));
  return app;
}

/** Path → value of its `Allow` header. */
function methodsByPath(routes: readonly Route[]): Map<string, string> {
  const methods = new Map<string, string>();
  for (const { method, path } of routes) {
    const known = methods.get(path);
    const allowed = method === "GET" ? "GET, HEAD" : method;
    methods.set(path, known === undefined ? allowed : `${known}, ${allowed}`);
  }
  return methods;
}

function logRequest(log: Log): MiddlewareHandler {
  return async (c, next) => {
    const started = performance.now();
    await next();
    log.debug?.("request", {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(performance.now() - started),
    });
  };
}

/** Requests without a route are counted together: a million different addresses take no memory. */
function countRequest(metrics: RequestMetrics, matched: WeakMap<Request, string>): MiddlewareHandler {
  return async (c, next) => {
    const started = performance.now();
    await next();
    const route = matched.get(c.req.raw) ?? "none";
    metrics.noteRequest({ route, method: c.req.method, status: c.res.status }, performance.now() - started);
  };
}

/** For a request without a usable Host (HTTP/1.0), Bun gives the bare path as its URL, which Hono would cut short. */
function pathOf(request: Request): string {
  return request.url.startsWith("/") ? (/^[^?#]*/.exec(request.url)?.[0] ?? "/") : getPath(request);
}
