import type { StoredError } from "../core/record/stored-error.ts";

/** What an error was thrown for, one cause after the other: `PgError: deadlock (40P01), at /db.ts:9:1`. Texts are as they are. */
export function describeCauses({ cause }: Pick<StoredError, "cause">): readonly string[] {
  if (!cause) return [];
  const code = cause.code === undefined ? "" : ` (${cause.code})`;
  const at = cause.at === undefined ? "" : `, at ${cause.at}`;
  return [`${cause.name}: ${cause.message}${code}${at}`, ...describeCauses(cause)];
}
