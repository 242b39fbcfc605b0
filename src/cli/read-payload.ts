// JSON that is given to an option (as text, as `@file`, or as `-` for stdin), or on stdin without any option.

import { createReadStream, fstatSync, statSync } from "node:fs";
import { TaskonautError } from "../core/errors.ts";
import { parseExactJson } from "../core/record/exact-json.ts";
import { WONDERS_MS } from "../core/waiting.ts";
import type { Call } from "./command.ts";
import { asksForJson } from "./format.ts";
import type { Io } from "./io.ts";
import { tellerOfWaits } from "./tell-waits.ts";
import { usageError } from "./usage.ts";

/** What stands for such a value in the help. */
export const PAYLOAD_FORM = "json | @file | -";

/** No input and no payload may be larger, whatever the limits are set to. */
const BYTES_MAX = 64 * 1024 * 1024;

type Refuse = (message: string) => TaskonautError;

/**
 * The value, read exactly. `option` is its name for messages, with dashes. Throws usage (no such file, no UTF-8, no
 * JSON, too large, data on stdin beside it) and input_invalid (numbers that would be rounded).
 */
export async function readPayload(
  given: string,
  { option, io }: { readonly option: string; readonly io: Pick<Io, "openTerminal" | "peekStdin"> },
): Promise<unknown> {
  const refuse = refusing(option, given === "-" ? "stdin" : given.startsWith("@") ? given.slice(1) : undefined);
  if (given === "-") return parse(await readBytes(io.openTerminal().input, refuse), refuse);
  const file = given.startsWith("@") ? given.slice(1) : undefined;
  if (file === "") throw usageError([{ path: option, message: "names no file after @" }]);
  const isOfStdin = file !== undefined && isStdin(file);
  const value = parse(file === undefined ? given : await readBytes(createReadStream(file), refuse), refuse);
  if (!isOfStdin) refuseStdin(io, { givenBy: option, option });
  return value;
}

/** The value of the option `name`, or the data on stdin. Undefined if there is neither. Throws as both do. */
export async function readGiven(
  call: Pick<Call, "io" | "flags">,
  name: string,
): Promise<{ readonly value: unknown } | undefined> {
  const { flags, io } = call;
  const option = `--${name}`;
  const given = flags.get(name);
  return given === undefined ? readStdin(call, option) : { value: await readPayload(given, { option, io }) };
}

interface Patience {
  /** After so many milliseconds without a byte a person is told what is waited for. */
  readonly tellMs: number;
  /** After so many the wait is over. */
  readonly endMs: number;
}

const PATIENCE: Patience = { tellMs: WONDERS_MS, endMs: 10_000 };

/**
 * The data on stdin, if `option` is not given. Undefined if there is none. It waits for a silent pipe, so that late data is
 * not lost, but not for ever: many processes inherit a pipe on which nothing ever comes. Throws as readPayload does, and
 * usage at the end of the wait.
 */
export async function readStdin(
  { io, flags }: Pick<Call, "io" | "flags">,
  option: string,
  { tellMs, endMs }: Patience = PATIENCE,
): Promise<{ readonly value: unknown } | undefined> {
  const state = io.peekStdin();
  if (state === "empty") return undefined;
  const refuse = refusing("stdin", undefined);
  const tell = (): void => {
    const what = `data on stdin, at most ${endMs / 1000} s: ${option} is not given, and stdin is an open pipe`;
    if (!asksForJson(flags)) tellerOfWaits(io.stderr)(what);
  };
  const over = Promise.withResolvers<never>();
  const timers =
    state === "data"
      ? []
      : [
          setTimeout(tell, tellMs),
          setTimeout(() => {
            const ways = `${option} - waits for it as long as it takes, and </dev/null goes on without it`;
            over.reject(refuse(`nothing came within ${endMs / 1000} s, and it is still open; ${ways}`));
          }, endMs),
        ];
  const stop = (): void => timers.forEach(clearTimeout);
  try {
    const bytes = await Promise.race([readBytes(io.openTerminal().input, refuse, stop), over.promise]);
    return bytes.length === 0 ? undefined : { value: parse(bytes, refuse) };
  } finally {
    stop();
  }
}

/** Refuses data on stdin that nobody would read. It stays unread: it may belong to a loop of a script. Throws usage. */
export function refuseStdin(
  io: Pick<Io, "peekStdin">,
  { givenBy, option }: { readonly givenBy: string; readonly option: string },
): void {
  if (io.peekStdin() !== "data") return;
  const ways = `give only ${option} - to use it, or write </dev/null to leave it to others, such as a loop of your script`;
  throw refusing("stdin", undefined)(`has data, but ${givenBy} is given; ${ways}`);
}

function refusing(path: string, source: string | undefined): Refuse {
  return (message) => usageError([{ path, message: source === undefined ? message : `${source}: ${message}` }]);
}

/** Whether a file is what stdin is: `/dev/stdin`. */
function isStdin(file: string): boolean {
  try {
    const [one, other] = [statSync(file), fstatSync(0)];
    return one.ino === other.ino && one.dev === other.dev;
  } catch {
    return false;
  }
}

/** `onFirst` is called at the first piece, and at the end. */
async function readBytes(
  stream: AsyncIterable<unknown>,
  refuse: Refuse,
  onFirst: () => void = () => {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      onFirst();
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      size += bytes.byteLength;
      if (size > BYTES_MAX) break; // which closes the stream
      chunks.push(bytes);
    }
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  onFirst();
  if (size > BYTES_MAX) throw refuse(`more than ${BYTES_MAX} bytes`);
  return Buffer.concat(chunks, size);
}

function parse(given: string | Uint8Array, refuse: Refuse): unknown {
  const text = typeof given === "string" ? given : decodeUtf8(given, refuse);
  try {
    return parseExactJson(text);
  } catch (error) {
    throw error instanceof TaskonautError && error.code === "body_invalid" ? refuse(error.message) : error;
  }
}

function decodeUtf8(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("not UTF-8");
  }
}
