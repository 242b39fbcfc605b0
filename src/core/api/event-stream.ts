// Server-Sent Events of the HTML standard: writes messages as text, and reads them back.

import type { TaskEvent, Told } from "./events.ts";

/** A message of a stream; `quiet` for one that only says where the stream is. */
export interface Message {
  /** The last id that was said, in this message or before. */
  readonly id: string;
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
}

export function toEventStream(told: readonly Told[]): string {
  return told.map(toMessage).join("");
}

function toMessage(told: Told): string {
  const id = `id: ${told.id}\n`;
  switch (told.kind) {
    case "event":
      return `${id}event: ${told.event.kind}\ndata: ${JSON.stringify(told.event)}\n\n`;
    case "ready":
      return `${id}event: ready\ndata: {}\n\n`;
    case "resync":
      return `${id}event: resync\ndata: ${JSON.stringify({ reason: told.reason })}\n\n`;
    case "lost":
      return `${id}event: lost\ndata: ${JSON.stringify({ reason: told.reason, retry_ms: told.retryMs })}\n\n`;
    case "quiet":
      return `: nothing has happened\n${id}\n`;
  }
}

/** Undefined for a message of a newer server that this program does not know. */
export function fromMessage({ id, event, data }: Message): Told | undefined {
  switch (event) {
    case "ready":
    case "quiet":
      return { kind: event, id };
    case "resync":
      return { kind: event, id, reason: String((JSON.parse(data) as { readonly reason?: unknown }).reason) };
    case "lost": {
      const { reason, retry_ms: retryMs } = JSON.parse(data) as {
        readonly reason?: unknown;
        readonly retry_ms?: unknown;
      };
      return { kind: event, id, reason: String(reason), retryMs: Number(retryMs) };
    }
    case "created":
    case "changed":
    case "ended":
    case "removed":
      return { kind: "event", id, event: JSON.parse(data) as TaskEvent };
    default:
      return undefined;
  }
}

/** No line of ours is nearly so long. */
const LINE_MAX = 1_000_000;

/** Puts messages together from pieces of a stream, wherever they were cut. */
export class EventStreamReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #id = "";
  #saysId = false;
  #event = "";
  #data: string[] = [];

  /** The messages that are whole with this piece. Throws where it is no such stream. */
  read(piece: Uint8Array): readonly Message[] {
    const messages: Message[] = [];
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_MAX) throw new Error("a line of the stream does not end");
    for (const line of lines) {
      const message = this.#take(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (message) messages.push(message);
    }
    return messages;
  }

  #take(line: string): Message | undefined {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id") {
      this.#id = value;
      this.#saysId = true;
    }
    return undefined;
  }

  #end(): Message | undefined {
    const message = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    const isQuiet = this.#data.length === 0;
    const saysId = this.#saysId;
    this.#event = "";
    this.#data = [];
    this.#saysId = false;
    if (!isQuiet) return message;
    return saysId ? { ...message, event: "quiet" } : undefined;
  }
}
