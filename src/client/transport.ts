// One request, one answer. If the answer is not from a taskonaut server, the error says what to check.

import * as v from "valibot";
import { REASON_HEADER, writeReason } from "../core/api/audit-text.ts";
import { ERRORS, TaskonautError, type ErrorCode } from "../core/errors.ts";
import { ProblemAnswer } from "../core/api/answers.ts";
import type { Answer } from "../core/api/contract.ts";
import { AnswerError, Quiet, readAnswer } from "./read-answer.ts";

export type Fetch = (url: string, init: BunFetchRequestInit) => Promise<Response>;

interface Ask<T> {
  readonly method?: "GET" | "POST";
  /** The path below the base URL, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  /** Wait as long as the server does, because it runs tools. */
  readonly patient?: boolean;
  /** Wait this much longer, because the server waits for something. */
  readonly waitMs?: number;
  /** Aborts when nobody wants the answer any more. Then the request throws the abort reason. */
  readonly signal?: AbortSignal;
  readonly answer: Answer<T>;
}

interface Answered<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly url: string;
}

interface Open {
  /** The path below the base URL, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** The stream is given up when nothing arrives for this time. */
  readonly silentMs: number;
}

export interface Transport {
  readonly ask: <T>(request: Ask<T>) => Promise<Answered<T>>;
  /** An answer in pieces, without a time limit. Reading it throws api_unreachable. */
  readonly open: (request: Open) => Promise<AsyncIterable<Uint8Array>>;
}

export interface TransportOptions {
  readonly baseUrl: string;
  readonly token?: string | undefined;
  readonly fetch?: Fetch | undefined;
  readonly timeoutMs?: number | undefined;
  /** The reason for a change. */
  readonly reason?: () => string | undefined;
}

const TIMEOUT_MS = 30_000;

/** Throws usage if the base URL is not valid. */
export function createTransport(options: TransportOptions): Transport {
  const base = parseBaseUrl(options.baseUrl);
  const { token, fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS } = options;

  async function send(url: string, request: Ask<unknown>): Promise<{ response: Response; text: string }> {
    const headers: Record<string, string> = { Accept: "application/json", ...request.headers };
    if (token) headers["Authorization"] = `Bearer ${token}`;
    const reason = request.method === "POST" ? options.reason?.() : undefined;
    if (reason !== undefined) headers[REASON_HEADER] = writeReason(reason);
    if (request.body !== undefined) headers["Content-Type"] = "application/json";
    const init: BunFetchRequestInit = { method: request.method ?? "GET", headers, redirect: "manual" };
    if (request.body !== undefined) init.body = request.body;
    // Bun's fetch has its own timeout of five minutes; only our signal should count
    init.timeout = false;
    const quiet = new Quiet(request.patient ? undefined : timeoutMs + (request.waitMs ?? 0));
    init.signal = request.signal ? AbortSignal.any([quiet.signal, request.signal]) : quiet.signal;
    try {
      const response = await fetch(url, init);
      return { response, text: await readAnswer(response, () => quiet.restart()) };
    } catch (cause) {
      request.signal?.throwIfAborted();
      throw unreachable(url, describeFailure(cause, timeoutMs), cause);
    } finally {
      quiet.end();
    }
  }

  return {
    async open(request) {
      const url = base + request.path;
      const headers: Record<string, string> = { ...request.headers };
      if (token) headers["Authorization"] = `Bearer ${token}`;
      const quiet = new Quiet(request.silentMs);
      const signal = AbortSignal.any([quiet.signal, request.signal]);
      let response: Response;
      try {
        response = await fetch(url, { headers, redirect: "manual", timeout: false, signal });
      } catch (cause) {
        quiet.end();
        request.signal.throwIfAborted();
        throw unreachable(url, describeFailure(cause, request.silentMs), cause);
      }
      if (response.ok && /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
        return piecesOf(url, response, quiet, request);
      }
      const text = await readAnswer(response, () => quiet.restart()).catch(() => "");
      quiet.end();
      throw errorOf(url, response, parse(text));
    },
    async ask<T>(request: Ask<T>): Promise<Answered<T>> {
      const url = base + request.path;
      const { response, text } = await send(url, request);
      const body = parse(text);
      if (response.ok && body === undefined && isJson(response)) {
        throw unreachable(url, `its answer broke off after ${text.length} characters`);
      }
      if (!response.ok) throw errorOf(url, response, body);
      if (!v.is(request.answer, body)) throw unreachable(url, "something else than a taskonaut server answered");
      return { status: response.status, headers: response.headers, body, url };
    },
  };
}

/** Throws api_unreachable if the stream breaks off. */
async function* piecesOf(url: string, response: Response, quiet: Quiet, request: Open): AsyncGenerator<Uint8Array> {
  try {
    if (!response.body) return;
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      quiet.restart();
      yield piece;
    }
  } catch (cause) {
    request.signal.throwIfAborted();
    throw unreachable(url, describeFailure(cause, request.silentMs), cause);
  } finally {
    quiet.end();
  }
}

/**
 * Returns the URL without a trailing slash. Query, fragment and credentials have no meaning here, so they are refused.
 */
function parseBaseUrl(text: string): string {
  const url = URL.parse(text);
  const plain =
    url !== null && /^https?:$/.test(url.protocol) && url.search + url.hash + url.username + url.password === "";
  if (plain) return url.href.replace(/\/+$/, "");
  throw new TaskonautError(
    "usage",
    `${JSON.stringify(text)} is not the address of a server: expected something like http://127.0.0.1:8000.`,
  );
}

/** The server's own error, or an error that says what seems to have answered. */
function errorOf(url: string, response: Response, body: unknown): TaskonautError {
  if (v.is(ProblemAnswer, body)) {
    if (isErrorCode(body.code)) return new TaskonautError(body.code, body.detail, { errors: body.errors ?? [] });
    return unreachable(
      url,
      `the server answered ${response.status} with an error that this version does not know: ${body.detail}`,
    );
  }
  const location = response.headers.get("location");
  if (location !== null) return unreachable(url, `the server sends us on to ${location}; use that as the address`);
  const type = response.headers.get("content-type") ?? "no content type";
  return unreachable(url, `something else than a taskonaut server answered (${response.status}, ${type})`);
}

function isJson(response: Response): boolean {
  return /^application\/json\b/i.test(response.headers.get("content-type") ?? "");
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeFailure(cause: unknown, timeoutMs: number): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause instanceof AnswerError) return cause.message;
  if (cause.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "nothing listens there";
  if (code === "ENOTFOUND") return "no host of that name is known";
  return cause.message;
}

function unreachable(url: string, reason: string, cause?: unknown): TaskonautError {
  return new TaskonautError(
    "api_unreachable",
    `No answer from a taskonaut server at ${url}: ${reason}. Check that a server runs there, and --api-base-url (TASKONAUT_API_URL).`,
    { details: { url }, cause },
  );
}
