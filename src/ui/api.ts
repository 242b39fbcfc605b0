// The page's requests to its server. Numbers that a browser would round keep their text.

import { signal } from "@preact/signals";
import { parseExact } from "./exact.ts";

/** Whether the server answers this page; `lost` since when it does not. */
export const connection = signal<{ readonly state: "open" } | { readonly state: "lost"; readonly since: number }>({
  state: "open",
});

/** A request has waited too long for its answer. */
export const isSlow = signal(false);

/** After this time the page says that it waits for the server. */
const SLOW_MS = 2000;

let slowRequests = 0;

/** The server requires a token, and there is no session. */
export const wantsToken = signal(false);

/** A refusal by the server, or a failure to reach it. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** `unreachable` if there was no answer. */
    readonly code: string,
    readonly violations: readonly { readonly path: string; readonly message: string }[] = [],
    /** Of the answer; 0 if there was none. */
    readonly status = 0,
  ) {
    super(message);
  }

  /** The same request may succeed later: there was no answer, or the server or a proxy before it is in trouble. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface Answer<Body> {
  readonly body: Body;
  /** The address of the next page. */
  readonly next: string | undefined;
}

/** Throws ApiError. */
export async function get<Body>(path: string, leaving?: AbortSignal): Promise<Answer<Body>> {
  const response = await ask(path, leaving ? { signal: leaving } : {});
  const next = /<([^>]+)>; *rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  return { body: parseExact(await response.text()) as Body, next };
}

/** For answers that are not JSON. Throws ApiError. */
export async function getText(path: string, leaving?: AbortSignal): Promise<string> {
  return (await ask(path, leaving ? { signal: leaving } : {})).text();
}

/** `json`: the text of the body, exactly as it will be stored. Throws ApiError. */
export async function post<Body>(
  path: string,
  json?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Body> {
  const response = await ask(path, {
    method: "POST",
    headers: { ...headers, ...(json !== undefined && { "content-type": "application/json" }) },
    ...(json !== undefined && { body: json }),
  });
  return parseExact(await response.text()) as Body;
}

/** The body of an endless answer. `after`: the id of the last received event. Throws ApiError. */
export async function openStream(
  path: string,
  after: string | undefined,
  leaving: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const headers = after === undefined ? {} : { "last-event-id": after };
  const { body } = await ask(path, { signal: leaving, headers });
  if (body === null) throw new ApiError("The server has no events.", "route_not_found", [], 404);
  return body;
}

/** An answer as it came, also a refusal. */
export interface RawAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly type: string;
  /** Parsed if it is JSON; its numbers keep their text. */
  readonly body: unknown;
  /** The body is not JSON, or only a part of it. */
  readonly isText: boolean;
  /** The answer was longer than `body`. */
  readonly isCut: boolean;
}

/** The largest part of an answer that is read, in bytes. */
const READ_MAX = 1_000_000;

/** A refusal counts as an answer, too. Throws ApiError if there is no answer. */
export async function send(
  method: string,
  path: string,
  { headers, json }: { readonly headers: Readonly<Record<string, string>>; readonly json?: string },
): Promise<RawAnswer> {
  const response = await reach(path, {
    method,
    headers: { ...headers, ...(json !== undefined && { "content-type": "application/json" }) },
    ...(json !== undefined && { body: json }),
  });
  const { text, isCut } = await beginningOf(response);
  const type = response.headers.get("content-type") ?? "";
  const isText = isCut || text === "" || !/json/.test(type);
  const { status, statusText } = response;
  return { status, statusText, type, body: isText ? text : parseExact(text), isText, isCut };
}

async function beginningOf(response: Response): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return { text: text + decoder.decode(), isCut: false };
    text += decoder.decode(part.value, { stream: true });
    size += part.value.length;
    if (size < READ_MAX) continue;
    await reader?.cancel();
    return { text, isCut: true };
  }
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await reach(path, init);
  if (!response.ok) throw await refusal(response);
  return response;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  const endOfWait = noteWait();
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    noteLost();
    throw new ApiError("The server does not answer.", "unreachable");
  } finally {
    endOfWait();
  }
  if (response.status === 502 || response.status === 504) noteLost();
  else connection.value = { state: "open" };
  if (response.status === 401) wantsToken.value = true;
  return response;
}

/** Returns a function to call when the answer has come. */
function noteWait(): () => void {
  let isTold = false;
  const timer = setTimeout(() => {
    isTold = true;
    slowRequests++;
    isSlow.value = true;
  }, SLOW_MS);
  return () => {
    clearTimeout(timer);
    if (isTold) slowRequests--;
    isSlow.value = slowRequests > 0;
  };
}

function noteLost(): void {
  if (connection.value.state === "open") connection.value = { state: "lost", since: Date.now() };
}

interface Problem {
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as Problem;
    const { detail = response.statusText, code = String(response.status), errors } = problem;
    return new ApiError(detail, code, errors, response.status);
  } catch {
    return new ApiError(`The server answered ${response.status}.`, String(response.status), [], response.status);
  }
}
