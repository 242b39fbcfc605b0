// The place in a list after which the next page begins. Opaque outside: `<created_at in ms>_<task id>`.

import { TaskonautError } from "../../core/errors.ts";
import type { ListPage } from "../../store/store.ts";

const CURSOR = /^(\d{1,15})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export function writeCursor({ createdAt, id }: NonNullable<ListPage["after"]>): string {
  return `${createdAt}_${id}`;
}

/** Throws input_invalid. */
export function readCursor(cursor: string): NonNullable<ListPage["after"]> {
  const [, createdAt, id] = CURSOR.exec(cursor) ?? [];
  if (createdAt === undefined || id === undefined) {
    throw new TaskonautError(
      "input_invalid",
      `${JSON.stringify(cursor)} is no cursor of a task list; take it from the page before.`,
      {
        errors: [{ path: "cursor", message: "not a cursor of a task list" }],
      },
    );
  }
  return { createdAt: Number(createdAt), id };
}
