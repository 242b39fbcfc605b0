import type { StoredError } from "../core/record/stored-error.ts";

/** The chain of causes of an error: `PgError: deadlock (40P01), at /db.ts:9:1`. Its texts are not made safe for a terminal. */
export function describeCauses({ cause }: Pick<StoredError, "cause">): readonly string[] {
  if (!cause) return [];
  const code = cause.code === undefined ? "" : ` (${cause.code})`;
  const at = cause.at === undefined ? "" : `, at ${cause.at}`;
  return [`${cause.name}: ${cause.message}${code}${at}`, ...describeCauses(cause)];
}
