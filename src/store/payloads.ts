// Long JSON texts are stored separately from their rows, in the table `payloads`. So rows stay small, whatever tasks
// hold, and are searched, changed and read without the long texts.
//
// SP1. A row holds a reference in place of the text. It begins with a space, which no recorded JSON does; a text that
//      did would be stored separately as well, however short.
// SP2. A reference is computed from its text. Equal texts within one task (a step's input and its call's request) are
//      stored once, and the text of a reference never changes: a row of any age can be completed later.
// SP3. Separate texts are read in pieces of a limited size, with turns of the event loop in between.

import { turnOfLoop } from "../turn-of-loop.ts";
import type { JsonText, Writable } from "../core/record/record.ts";
import type { TaskonautError } from "../core/errors.ts";
import { recordDamaged } from "./record-damaged.ts";

/**
 * A longer text is stored separately. In characters: a row of several such texts is still read within a few pages of a
 * file.
 */
const INLINE_MAX = 4096;

/** How much is read at once, in characters, unless a single text is longer. */
const PIECE_MAX = 1024 * 1024;

/** A row of the table. */
export interface PayloadRow {
  readonly task_id: string;
  readonly key: string;
  readonly text: JsonText;
}

export type PayloadKey = Pick<PayloadRow, "task_id" | "key">;

/** For rows on their way into the database: takes the long texts out of them. */
export class KeptApart {
  readonly #rows = new Map<string, PayloadRow>();
  readonly #references = new Map<JsonText, string>();

  /** The texts that were taken out so far, and not taken from here. */
  take(): readonly PayloadRow[] {
    if (this.#rows.size === 0) return NONE;
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }

  /**
   * `columns`: the columns of JSON text (`tables.ts`). Returns the row itself if it has no long text, as nearly all
   * rows.
   */
  row<Row extends object>(row: Row, taskId: string, columns: readonly string[]): Row {
    let copy: Writable<Row> | undefined;
    for (const column of columns as readonly (keyof Row)[]) {
      const text = row[column] as JsonText | null;
      if (text === null || !isApart(text)) continue;
      copy ??= { ...row };
      copy[column] = this.#reference(taskId, text) as Row[typeof column];
    }
    return copy ?? row;
  }

  #reference(taskId: string, text: JsonText): string {
    let reference = this.#references.get(text);
    if (reference === undefined) {
      reference = referenceTo(text);
      this.#references.set(text, reference);
    }
    const key = keyOf(reference);
    this.#rows.set(nameOf(taskId, key), { task_id: taskId, key, text });
    return reference;
  }
}

function referenceTo(text: JsonText): string {
  const digest = new Bun.CryptoHasher("sha256").update(text).digest("base64url");
  return ` "${digest.slice(0, KEY_LENGTH)}:${text.length}"`;
}

const NONE: readonly PayloadRow[] = [];

/** The first 132 bits of a 256-bit digest: enough to tell the texts of one task apart. */
const KEY_LENGTH = 22;

function isApart(text: JsonText): boolean {
  return text.length > INLINE_MAX || isReference(text);
}

function isReference(text: string): boolean {
  return text.charCodeAt(0) === SPACE;
}

const SPACE = 0x20;

function keyOf(reference: string): string {
  return reference.slice(2, reference.indexOf(":"));
}

/** Undefined if the text is not a reference. */
export function keyOfReference(text: string): string | undefined {
  return isReference(text) ? keyOf(text) : undefined;
}

function lengthOf(reference: string): number {
  return Number.parseInt(reference.slice(reference.indexOf(":") + 1), 10) || 0;
}

/** A separately stored text, and where it belongs. */
interface Wanted extends PayloadKey {
  readonly reference: string;
  readonly length: number;
  readonly places: { readonly row: Record<string, unknown>; readonly column: string }[];
}

/** For rows on their way out of the database: finds the references in them, and puts the texts back. */
export class Gaps {
  readonly #wanted = new Map<string, Wanted>();

  /** Call it once for each row that was read, before anybody else sees it. */
  find(row: object, taskId: string, columns: readonly string[]): void {
    for (const column of columns) {
      const text = (row as Record<string, unknown>)[column];
      if (typeof text === "string" && isReference(text)) this.#want(row, column, taskId, text);
    }
  }

  get isEmpty(): boolean {
    return this.#wanted.size === 0;
  }

  /** SP3. `read` returns the rows of the existing keys. Throws record_damaged if one is missing, or has another text. */
  async fill(location: string, read: (keys: readonly PayloadKey[]) => Promise<readonly PayloadRow[]>): Promise<void> {
    for (const piece of pieces([...this.#wanted.values()])) {
      const texts = new Map<string, JsonText>();
      for (const { task_id, key, text } of await read(piece)) texts.set(nameOf(task_id, key), text);
      for (const { task_id, key, reference, places } of piece) {
        const text = texts.get(nameOf(task_id, key));
        const told = (what: string): TaskonautError =>
          recordDamaged({ location, taskId: task_id, table: "payloads", what: `the text ${key} ${what}` });
        if (text === undefined) throw told("is not there");
        if (typeof text !== "string" || referenceTo(text) !== reference) throw told("is not the one that was recorded");
        for (const { row, column } of places) row[column] = text;
      }
      await turnOfLoop();
    }
    this.#wanted.clear();
  }

  #want(row: object, column: string, taskId: string, reference: string): void {
    const key = keyOf(reference);
    const name = nameOf(taskId, key);
    let wanted = this.#wanted.get(name);
    if (!wanted) {
      wanted = { task_id: taskId, key, reference, length: lengthOf(reference), places: [] };
      this.#wanted.set(name, wanted);
    }
    wanted.places.push({ row: row as Record<string, unknown>, column });
  }
}

function nameOf(taskId: string, key: string): string {
  return `${taskId} ${key}`;
}

function* pieces(wanted: readonly Wanted[]): Generator<readonly Wanted[]> {
  let piece: Wanted[] = [];
  let length = 0;
  for (const each of wanted) {
    if (piece.length > 0 && length + each.length > PIECE_MAX) {
      yield piece;
      piece = [];
      length = 0;
    }
    piece.push(each);
    length += each.length;
  }
  if (piece.length > 0) yield piece;
}
