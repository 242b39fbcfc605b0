// The only place that turns an error into an answer (RFC 9457, application/problem+json).

import { TaskonautError, type ErrorCode, type Violation } from "../core/errors.ts";
import type { Log } from "../core/log.ts";

export interface Problem {
  /** A stable name for the kind of problem, not an address: `urn:taskonaut:error:task_not_found`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened and what to do about it, for people. */
  readonly detail: string;
  /** Stable, for programs: a code from `core/errors.ts`. */
  readonly code: ErrorCode;
  /** All violations of a contract. */
  readonly errors?: readonly Violation[];
}

/** How long a client should wait while the database is not available. */
const RETRY_AFTER_SECONDS = 2;

/** Turns any error into an answer. An error that is not a TaskonautError is our fault: only the log shows it. */
export function problemResponse(error: unknown, log: Log): Response {
  const known = error instanceof TaskonautError ? error : internal(error);
  if (known.status === 500) log.error?.("a request failed in the server", { error: known.cause ?? known });
  return new Response(JSON.stringify(toProblem(known)), { status: known.status, headers: headersOf(known) });
}

function toProblem(error: TaskonautError): Problem {
  return {
    type: `urn:taskonaut:error:${error.code}`,
    title: titleOf(error.code),
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.errors.length > 0 && { errors: error.errors }),
  };
}

function headersOf(error: TaskonautError): Record<string, string> {
  const headers: Record<string, string> = { "Content-Type": "application/problem+json" };
  if (error.code === "unauthorized") headers["WWW-Authenticate"] = "Bearer";
  if (error.code === "method_not_allowed") headers["Allow"] = String(error.details["allow"]);
  if (error.status === 503 && error.retryable) headers["Retry-After"] = String(RETRY_AFTER_SECONDS);
  if (error.code === "too_many_attempts") headers["Retry-After"] = String(error.details["seconds"]);
  // the rest of a body that is too large is not worth reading, and a stopping server wants no further requests
  if (error.code === "body_too_large" || error.code === "shutting_down") headers["Connection"] = "close";
  return headers;
}

function internal(cause: unknown): TaskonautError {
  return new TaskonautError("internal", "Something in the server is broken; its log says more.", { cause });
}

/** `task_not_found` → "Task not found" */
function titleOf(code: ErrorCode): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
