// Guards: while a flow's program runs, whatever would give another result on replay throws a DeterminismError that
// names the call and its alternative. Outside of programs, in tools and in the engine, everything works as ever.
//
// What no wrapper can reach, and the replay comparison catches where it changes a decision:
// - state that a module keeps between calls (a counter, a cache, a map of what was seen before);
// - values that are not calls: `process.env`, `process.argv`, `import.meta`, a formatter or file read at module load;
// - a promise that the flow makes and drops: its callbacks run after the flag is off (an async function as a flow is
//   refused by itself);
// - the bytes of `Buffer.allocUnsafe`, which the runtime itself calls inside of what is pure (`zlib.gzipSync`), and
//   `size` and `lastModified` of a `Bun.file` that was made at module load: the runtime makes these getters final;
// - the order of floating-point rounding in `Math.sin` and its kin on another processor, and errors' stack texts.

import { guardDates, guardTexts } from "./guards/dates.ts";
import { guardGlobals } from "./guards/globals.ts";

/** Before any user's file is loaded. A second call changes nothing. Modules: `guards/modules.ts`, as files import them. */
export function installGuards(): void {
  guardGlobals();
  guardTexts();
  guardDates();
}
