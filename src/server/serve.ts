// Serves the app on a socket.

import type { Server } from "bun";
import { TaskonautError } from "../core/errors.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { SILENT, type Log } from "../core/log.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { type AccessOptions, isLoopback } from "./access.ts";
import { createApp, createMetricsApp } from "./app.ts";
import { problemResponse } from "./errors.ts";
import type { RequestMetrics } from "./metrics-route.ts";
import type { ReadUi } from "./ui-files.ts";

export interface ServeOptions {
  readonly taskonaut: Taskonaut;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Empty or undefined: no token. Visible ASCII, because it travels in a header. */
  readonly token?: string | undefined;
  /** The tokens of the store. */
  readonly gate?: AccessOptions["gate"];
  /** The sessions of the dashboard. */
  readonly sessions?: AccessOptions["sessions"];
  /** Serve without a token although `host` is not loopback. */
  readonly insecure: boolean;
  readonly maxBodyBytes?: number | undefined;
  readonly log?: Log | undefined;
  /** The program's version, for `GET /`. */
  readonly version?: string | undefined;
  readonly metrics?: RequestMetrics | undefined;
  /** The dashboard. */
  readonly readUi?: ReadUi | undefined;
  /** How long `stop` waits for running requests. The taskonaut lets its steps run as long. By default 10 s. */
  readonly graceMs?: number | undefined;
  /** How long a connection may be quiet; by default a minute. */
  readonly idleTimeoutSeconds?: number | undefined;
}

export interface StartedServer {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  /**
   * Accepts no more requests and closes the taskonaut. All running work has one graceMs to finish; after that its
   * requests hear that the taskonaut is leaving. Rejects with the error of that close. Safe to call twice.
   */
  readonly stop: () => Promise<void>;
}

/**
 * A connection that is quiet for this long is closed, also in the middle of a body. Only running tasks may take longer.
 */
const IDLE_TIMEOUT_SECONDS = 60;

/**
 * Throws usage: no token on an address that is not loopback, a token that no header can carry, or a failure to listen.
 */
export async function startServer(options: ServeOptions): Promise<StartedServer> {
  const { taskonaut, host, gate, sessions, insecure, log = SILENT, graceMs = DEFAULT_LIMITS.graceMs } = options;
  const token = options.token === "" ? undefined : options.token;
  checkToken(token);
  if (token === undefined && !insecure && !isLoopback(host) && !(await gate?.isGuarded())) throw openToAll(host);
  let stopping: Promise<void> | undefined;
  const app = createApp(taskonaut, {
    host,
    token,
    gate,
    sessions,
    maxBodyBytes: options.maxBodyBytes,
    log,
    version: options.version,
    readUi: options.readUi,
    metrics: options.metrics,
    addressOf: (request) => server.requestIP(request)?.address,
    // not earlier: a client without a token, or with an unfinished body, must not hold a connection forever
    onLongWait: (request) => server.timeout(request, 0),
  });
  const answer = (request: Request): Response | Promise<Response> =>
    stopping === undefined ? app.fetch(request) : problemResponse(shuttingDown(), log);
  const server = listen(options, answer, log);

  async function stop(): Promise<void> {
    // idle connections close at once, busy ones after their answer
    const drained = server.stop();
    // at the same time, not afterwards: both share one grace period
    const closed = taskonaut.close();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    try {
      await Promise.all([closed, Promise.race([drained, grace.promise])]);
    } finally {
      clearTimeout(timer);
      await server.stop(true);
    }
  }

  return { url: server.url.origin, stop: () => (stopping ??= stop()) };
}

/** Serves only /metrics and /healthz, for a process that has no API. Throws usage if it cannot listen. */
export function serveMetrics({
  host,
  port,
  metrics,
  log = SILENT,
}: Pick<ServeOptions, "host" | "port" | "log"> & { readonly metrics: RequestMetrics }): {
  readonly url: string;
  stop(): Promise<void>;
} {
  const app = createMetricsApp(metrics, { host, log });
  const server = listen({ host, port }, (request) => app.fetch(request), log);
  return { url: server.url.origin, stop: () => server.stop(true) };
}

type Answer = (request: Request) => Response | Promise<Response>;

function listen(
  { host, port, idleTimeoutSeconds = IDLE_TIMEOUT_SECONDS }: Pick<ServeOptions, "host" | "port" | "idleTimeoutSeconds">,
  answer: Answer,
  log: Log,
): Server<undefined> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      development: false,
      // explicit, because outside of development Bun shares ports: a second server would start without an error
      reusePort: false,
      idleTimeout: idleTimeoutSeconds,
      // body.ts enforces the real limit, and answers with a reason
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: answer,
      error: (error) => problemResponse(error, log),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TaskonautError(
      "usage",
      `Cannot listen on ${host}, port ${port}: the port is taken, or the host is not an address of this machine (${reason}). Choose others with --port and --host.`,
      { cause },
    );
  }
}

function checkToken(token: string | undefined): void {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return;
  throw new TaskonautError(
    "usage",
    "TASKONAUT_API_TOKEN must be visible ASCII characters without spaces: it travels in a header.",
  );
}

function openToAll(host: string): TaskonautError {
  return new TaskonautError(
    "usage",
    `Whoever reaches ${host} could run tasks: make a token (see the command tokens), set TASKONAUT_API_TOKEN, listen on 127.0.0.1, or say --insecure.`,
  );
}

function shuttingDown(): TaskonautError {
  return new TaskonautError("shutting_down", "The server is stopping; ask again in a moment.");
}
