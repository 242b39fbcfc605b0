// Guards: while a flow's program runs, every call whose result could differ on replay throws a DeterminismError that
// names the call, its place and the alternative. Outside of programs, in tools and in the engine, everything works as
// usual.
//
// `guards/pure.ts` lists what is allowed; everything else of the runtime is refused. Guards cannot reach the following.
// The comparison with the record finds it if it changes a decision or an output:
// - streams, servers and requests created at module load (except sockets and databases: `INSTANCES` in `pure.ts`);
// - state that a module keeps between calls (a counter, a cache, a map of earlier values);
// - values read at module load: `const { HOME } = process.env`, a file;
// - final members of the real `Bun` (`fetch`) by an indirect name: `const all = globalThis; all.Bun.fetch(…)`;
// - a promise that the flow makes and drops: its callbacks run after the flag is off (a flow that is an async function
//   is refused in any case);
// - the bytes of `Buffer.allocUnsafe`, which the runtime itself calls inside pure functions (`zlib.gzipSync`), and
//   `size` and `lastModified` of a `Bun.file` created at module load: the runtime makes these getters final;
// - the order of floating-point rounding in `Math.sin` and similar functions on another processor;
// - where a file lies, if it was read at module load (`const HERE = import.meta.dir`). Stacks of errors show no folders
//   in a flow (`core/flow/own-stacks.ts`).

import { guardGlobals } from "./guards/globals.ts";

/** Call it before any user's file is loaded; again changes nothing. `guards/modules.ts` guards modules on import. */
export function installGuards(): void {
  guardGlobals();
}
