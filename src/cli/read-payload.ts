// JSON that is given to an option: as text, as `@file`, or as `-` for stdin.

import { createReadStream } from "node:fs";
import { TaskonautError } from "../core/errors.ts";
import { parseExactJson } from "../core/record/exact-json.ts";
import type { Io } from "./io.ts";
import { usageError } from "./usage.ts";

/** What stands for such a value in the help. */
export const PAYLOAD_FORM = "json | @file | -";

/** More than this is no input and no payload, whatever its limit is set to. */
const BYTES_MAX = 64 * 1024 * 1024;

/**
 * The value, read exactly. `option` is its name for messages, with dashes. Throws usage (no such file, no UTF-8, no
 * JSON, too large) and input_invalid (numbers that would be rounded).
 */
export async function readPayload(
  given: string,
  { option, io }: { readonly option: string; readonly io: Pick<Io, "openTerminal"> },
): Promise<unknown> {
  const source = given === "-" ? "stdin" : given.startsWith("@") ? given.slice(1) : undefined;
  const refuse = (message: string): TaskonautError =>
    usageError([{ path: option, message: source === undefined ? message : `${source}: ${message}` }]);
  let text = given;
  if (source !== undefined) {
    const bytes = await readBytes(given === "-" ? io.openTerminal().input : createReadStream(source), refuse);
    text = decodeUtf8(bytes, refuse);
  }
  try {
    return parseExactJson(text);
  } catch (error) {
    throw error instanceof TaskonautError && error.code === "body_invalid" ? refuse(error.message) : error;
  }
}

async function readBytes(
  stream: AsyncIterable<unknown>,
  refuse: (message: string) => TaskonautError,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      size += bytes.byteLength;
      if (size > BYTES_MAX) break; // which closes the stream
      chunks.push(bytes);
    }
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  if (size > BYTES_MAX) throw refuse(`more than ${BYTES_MAX} bytes`);
  return Buffer.concat(chunks, size);
}

function decodeUtf8(bytes: Uint8Array, refuse: (message: string) => TaskonautError): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("not UTF-8");
  }
}
