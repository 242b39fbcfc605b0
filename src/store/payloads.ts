// Long JSON texts are kept apart from their rows, in the table `payloads`: so rows stay small, whatever tasks hold, and
// are searched, changed and read without what is long.
//
// SP1. A row holds a reference in the text's place. It begins with a space, which no recorded JSON does; one that did
//      would be kept apart as well, however short.
// SP2. A reference is made of its text. What is the same within one task (a step's input and its call's request) is
//      kept once, and what a reference stands for never changes: a row of any age can be completed later.
// SP3. What is kept apart is read in pieces of a limited size, with turns of the event loop between them.

import { turnOfLoop } from "../turn-of-loop.ts";
import type { JsonText, Writable } from "../core/record/record.ts";
import { recordDamaged } from "./record-damaged.ts";

/** A longer text is kept apart. In characters: a row of some such texts is still read within a few pages of a file. */
const INLINE_MAX = 4096;

/** What is read at once, in characters, unless a single text is longer. */
const PIECE_MAX = 1024 * 1024;

/** A row of the table. */
export interface PayloadRow {
  readonly task_id: string;
  readonly key: string;
  readonly text: JsonText;
}

export type PayloadKey = Pick<PayloadRow, "task_id" | "key">;

/** Rows on their way into the database: takes out of them what is kept apart. */
export class KeptApart {
  readonly #rows = new Map<string, PayloadRow>();
  readonly #references = new Map<JsonText, string>();

  /** What was taken out so far, and not taken from here. */
  take(): readonly PayloadRow[] {
    if (this.#rows.size === 0) return NONE;
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }

  /** `columns`: of JSON text (`tables.ts`). The row itself where it has nothing to be kept apart; nearly all are so. */
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
      reference = ` "${new Bun.CryptoHasher("sha256").update(text).digest("base64url").slice(0, KEY_LENGTH)}:${text.length}"`;
      this.#references.set(text, reference);
    }
    const key = keyOf(reference);
    this.#rows.set(nameOf(taskId, key), { task_id: taskId, key, text });
    return reference;
  }
}

const NONE: readonly PayloadRow[] = [];

/** Of a digest of 256 bits: 132 of them tell the texts of one task apart. */
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

/** Undefined where the text is none. */
export function keyOfReference(text: string): string | undefined {
  return isReference(text) ? keyOf(text) : undefined;
}

function lengthOf(reference: string): number {
  return Number.parseInt(reference.slice(reference.indexOf(":") + 1), 10) || 0;
}

/** A text that is kept apart, and where it belongs. */
interface Wanted extends PayloadKey {
  readonly length: number;
  readonly places: { readonly row: Record<string, unknown>; readonly column: string }[];
}

/** Rows on their way out of the database: finds in them what is kept apart, and puts it back. */
export class Gaps {
  readonly #wanted = new Map<string, Wanted>();

  /** Once for each row that was read, before anybody else sees it. */
  find(row: object, taskId: string, columns: readonly string[]): void {
    for (const column of columns) {
      const text = (row as Record<string, unknown>)[column];
      if (typeof text === "string" && isReference(text)) this.#want(row, column, taskId, text);
    }
  }

  get isEmpty(): boolean {
    return this.#wanted.size === 0;
  }

  /** SP3. `read` gives the rows of the keys that there are. Throws record_damaged where one is not there. */
  async fill(location: string, read: (keys: readonly PayloadKey[]) => Promise<readonly PayloadRow[]>): Promise<void> {
    for (const piece of pieces([...this.#wanted.values()])) {
      const texts = new Map<string, JsonText>();
      for (const { task_id, key, text } of await read(piece)) texts.set(nameOf(task_id, key), text);
      for (const { task_id, key, places } of piece) {
        const text = texts.get(nameOf(task_id, key));
        if (text === undefined)
          throw recordDamaged({ location, taskId: task_id, table: "payloads", what: `the text ${key} is not there` });
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
      wanted = { task_id: taskId, key, length: lengthOf(reference), places: [] };
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
