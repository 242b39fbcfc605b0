// `GET /metrics`, for Prometheus.

import type { Context } from "hono";
import { TaskonautError } from "../core/errors.ts";

export interface RequestMetrics {
  /** All metrics, in Prometheus' text format. */
  write(): Promise<string>;
  noteRequest(request: { readonly route: string; readonly method: string; readonly status: number }, ms: number): void;
}

const TYPE = "text/plain; version=0.0.4; charset=utf-8";

export async function answerMetrics(c: Context, metrics: RequestMetrics | undefined): Promise<Response> {
  if (!metrics) throw new TaskonautError("route_not_found", "This server keeps no metrics.");
  return c.body(await metrics.write(), 200, { "Content-Type": TYPE });
}
