// How much a random test does. `bun run check` has a budget for chance: what finds a fault at all mostly finds it soon.
// `bun run check:long` looks on (TEST_EFFORT=long). What goes the same way each time is in both, whole.

const IS_LONG = process.env["TEST_EFFORT"] === "long";

/** A number of seeds, kills or runs. */
export function effort({ check, long }: { readonly check: number; readonly long: number }): number {
  return IS_LONG ? long : check;
}
