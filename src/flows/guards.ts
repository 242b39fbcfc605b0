// Guards: while a flow's program runs, whatever would give another result on replay throws a DeterminismError that names
// the call, its place and its alternative. Outside of programs, in tools and in the engine, everything works as ever.
//
// What is allowed is listed in `guards/pure.ts`; everything else of the runtime is refused. What no wrapper can reach, and
// the comparison with the record catches where it changes a decision or an output:
// - streams, servers and requests that were made at module load (but for sockets and databases: `INSTANCES` in `pure.ts`);
// - state that a module keeps between calls (a counter, a cache, a map of what was seen before);
// - values that were read at module load: `const { HOME } = process.env`, a file;
// - what is final of the real `Bun` (`fetch`) by a name that no text shows: `const all = globalThis; all.Bun.fetch(…)`;
// - a promise that the flow makes and drops: its callbacks run after the flag is off (an async function as a flow is
//   refused by itself);
// - the bytes of `Buffer.allocUnsafe`, which the runtime itself calls inside of what is pure (`zlib.gzipSync`), and
//   `size` and `lastModified` of a `Bun.file` that was made at module load: the runtime makes these getters final;
// - the order of floating-point rounding in `Math.sin` and its kin on another processor, and errors' stack texts.

import { guardGlobals } from "./guards/globals.ts";

/** Before any user's file is loaded. A second call changes nothing. Modules: `guards/modules.ts`, as files import them. */
export function installGuards(): void {
  guardGlobals();
}
