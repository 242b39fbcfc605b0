// The place in a list after which the next page begins: `<created_at in ms>_<task id>`, with a hash of the filter if there is
// one, because the place belongs to that filter. Callers do not interpret it.

import { filterText } from "../../core/api/filter-text.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { ListKey } from "../../store/store.ts";

const CURSOR = /^(\d{1,15})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:_([0-9a-f]{16}))?$/;

export function writeCursor({ createdAt, id }: ListKey, filter: TaskFilter = {}): string {
  const hash = hashOf(filter);
  return `${createdAt}_${id}${hash === undefined ? "" : `_${hash}`}`;
}

/** Throws input_invalid. */
export function readCursor(cursor: string, filter: TaskFilter = {}): ListKey {
  const [, createdAt, id, hash] = CURSOR.exec(cursor) ?? [];
  if (createdAt === undefined || id === undefined) {
    throw cursorInvalid(
      `${JSON.stringify(cursor)} is not a cursor of a task list; take it from the previous page.`,
      "not a cursor of a task list",
    );
  }
  if (hash !== hashOf(filter)) {
    throw cursorInvalid(
      "The cursor belongs to a list with other filters; keep the filters of the previous page, or start again without a cursor.",
      "belongs to a list with other filters",
    );
  }
  return { createdAt: Number(createdAt), id };
}

function cursorInvalid(message: string, problem: string): TaskonautError {
  return new TaskonautError("input_invalid", message, { errors: [{ path: "cursor", message: problem }] });
}

/** Undefined for the filter that lets all tasks through. */
function hashOf(filter: TaskFilter): string | undefined {
  const text = filterText(filter);
  return text === "" ? undefined : new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
}
