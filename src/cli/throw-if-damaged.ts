import { TaskonautError } from "../core/errors.ts";

/** Call it when all others are shown. Throws record_damaged where some of these are. */
export function throwIfDamaged(
  what: string,
  listed: readonly { readonly name: string; readonly damage?: string }[],
): void {
  const errors = listed.flatMap(({ name, damage }) => (damage === undefined ? [] : [{ path: name, message: damage }]));
  const [first] = errors;
  if (!first) return;
  const isOne = errors.length === 1;
  throw new TaskonautError("record_damaged", isOne ? first.message : `${errors.length} of these ${what} are damaged.`, {
    details: { names: errors.map(({ path }) => path) },
    errors: isOne ? [] : errors,
  });
}
