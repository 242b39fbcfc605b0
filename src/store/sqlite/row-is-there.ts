import { TaskonautError } from "../../core/errors.ts";

/** A row that a change names exists: if it does not, the engine has a bug, and the whole transaction is rolled back. */
export function rowIsThere(kind: string, id: string, { changes }: { readonly changes: number }): void {
  if (changes === 1) return;
  throw new TaskonautError("internal", `A change names the ${kind} ${id}, which the database does not have.`);
}
