// What the page asks of its server. Numbers that a browser would round keep their text.

import { signal } from "@preact/signals";
import { parseExact } from "./exact.ts";

/** The server answers this page; `lost` since when it does not. */
export const connection = signal<{ readonly state: "open" } | { readonly state: "lost"; readonly since: number }>({
  state: "open",
});

/** What was asked for has not been answered for long. */
export const isSlow = signal(false);

/** From then on people are told that they wait for the server. */
const SLOW_MS = 2000;

let slowRequests = 0;

/** The server wants a token, and there is no session of one. */
export const wantsToken = signal(false);

/** What the server refused, or that it could not be reached. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** `unreachable` where there was no answer. */
    readonly code: string,
    readonly violations: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super(message);
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

/** What is no JSON. Throws ApiError. */
export async function getText(path: string, leaving?: AbortSignal): Promise<string> {
  return (await ask(path, leaving ? { signal: leaving } : {})).text();
}

/** `json`: the text of the body, as it is to be stored. Throws ApiError. */
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

/** The body of an answer that does not end. `after`: the last id that came. Throws ApiError. */
export async function openStream(
  path: string,
  after: string | undefined,
  leaving: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const headers = after === undefined ? {} : { "last-event-id": after };
  const { body } = await ask(path, { signal: leaving, headers });
  if (body === null) throw new ApiError("The server has no events.", "route_not_found");
  return body;
}

/** An answer as it came, whatever it says. */
export interface RawAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly type: string;
  /** JSON is read, with its numbers as they are written. */
  readonly body: unknown;
  /** It is no JSON, or only a part of it. */
  readonly isText: boolean;
  /** There was more of it. */
  readonly isCut: boolean;
}

/** So much of an answer is read, in bytes. */
const READ_MAX = 1_000_000;

/** A refusal is an answer, too. Throws ApiError where there is none. */
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

/** Gives what is to be called when the answer is there. */
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
    return new ApiError(problem.detail ?? response.statusText, problem.code ?? String(response.status), problem.errors);
  } catch {
    return new ApiError(`The server answered ${response.status}.`, String(response.status));
  }
}
