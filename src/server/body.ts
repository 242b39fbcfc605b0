// The body of a request: JSON, UTF-8, of limited size, read exactly.

import { TaskonautError } from "../core/errors.ts";
import { parseExactJson } from "../core/record/exact-json.ts";

const JSON_TYPE = /^application\/(?:[\w.!#$&^+-]+\+)?json\s*(?:;|$)/i;

const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8|us-ascii)[\w-]+/i;

/**
 * Returns undefined if there is no body. Throws body_too_large (over maxBytes, by its header or counted while reading),
 * content_type_unsupported (also for compressed bodies), body_invalid (not UTF-8, not JSON, or cut off) and
 * input_invalid (numbers that would be rounded, repeated keys).
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.byteLength === 0) return undefined;
  checkContentType(request.headers.get("content-type"));
  checkEncoding(request.headers.get("content-encoding"));
  return parseExactJson(decodeUtf8(bytes));
}

/** Like readJsonBody, but throws body_invalid if there is no body. */
export async function requireJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const body = await readJsonBody(request, maxBytes);
  if (body === undefined) {
    throw new TaskonautError("body_invalid", "The request has no body; send a JSON object, {} to take every default.");
  }
  return body;
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (Number(announced) > maxBytes) throw bodyTooLarge(maxBytes);
  if (announced !== null && !request.headers.has("transfer-encoding")) return readAnnounced(request, maxBytes);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // a throw out of this loop cancels the stream: the rest is not read
  for await (const chunk of chunksOf(request.body)) {
    size += chunk.byteLength;
    if (size > maxBytes) throw bodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The server takes no more bytes than were announced, so they are read at once: a stream costs several times as much. */
async function readAnnounced(request: Request, maxBytes: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await request.bytes();
  } catch (cause) {
    throw endedEarly(cause);
  }
  if (bytes.byteLength > maxBytes) throw bodyTooLarge(maxBytes);
  return bytes;
}

/** A client that aborts its own request is not a fault of the server. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw endedEarly(cause);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function checkContentType(contentType: string | null): void {
  if (contentType !== null && JSON_TYPE.test(contentType) && !OTHER_CHARSET.test(contentType)) return;
  const found = contentType === null ? "none" : JSON.stringify(contentType);
  throw new TaskonautError(
    "content_type_unsupported",
    `The body must be JSON in UTF-8 (Content-Type: application/json), found ${found}.`,
  );
}

function checkEncoding(encoding: string | null): void {
  if (encoding === null || /^\s*(?:identity)?\s*$/i.test(encoding)) return;
  throw new TaskonautError(
    "content_type_unsupported",
    `The body must not be compressed, found Content-Encoding: ${JSON.stringify(encoding)}.`,
  );
}

/** A byte order mark at the start is dropped, as RFC 8259 allows. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TaskonautError("body_invalid", "The body is not UTF-8.", { cause });
  }
}

function endedEarly(cause: unknown): TaskonautError {
  return new TaskonautError("body_invalid", "The body ended before it was whole.", { cause });
}

function bodyTooLarge(maxBytes: number): TaskonautError {
  return new TaskonautError("body_too_large", `The body is larger than ${maxBytes} bytes, the limit of this server.`);
}
