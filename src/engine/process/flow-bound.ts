// Aborts a flow that computes without end. The process lives, and everything else in it continues.
//
// EB1. Only the processor time of this thread counts, measured by the runtime's own watchdog: a busy or sleeping
//      machine aborts no flow. It costs about a microsecond for each piece of a flow.
// EB2. A single operation of the runtime (a regular expression, the JSON of a huge value) cannot be aborted. The
//      heartbeat's thread notices it, and can only kill the process.

import { type Bound, type BoundFlow, FlowStuckError } from "../../core/flow/flow-bound.ts";
import { isA } from "../../core/record/stored-error.ts";

/** What the script below calls. It is there only while a piece runs. */
const PIECE = Symbol.for("taskonaut.piece");

const globals = globalThis as { [PIECE]?: (() => void) | undefined };

const CALL_PIECE = `globalThis[Symbol.for("taskonaut.piece")]()`;

type Came<T> = { readonly value: T } | { readonly thrown: unknown };

/** For pieces that use at most `ms` of processor time. */
export function boundOf(ms: number): Bound {
  // loaded on demand: a command that runs no flow from a file does not pay for it
  const { Script } = process.getBuiltinModule("node:vm");
  const script = new Script(CALL_PIECE, { filename: `/$bunfs/${PIECE.description}` }); // in stacks it is of this program
  const options = { timeout: ms };
  return (flow, piece) => {
    if (globals[PIECE] !== undefined) return piece(); // within another piece
    let came: Came<ReturnType<typeof piece>> | undefined;
    globals[PIECE] = () => {
      try {
        came = { value: piece() };
      } catch (thrown) {
        came = { thrown };
      }
    };
    try {
      script.runInThisContext(options);
    } catch (thrown) {
      came ??= { thrown: isCutShort(thrown) ? new FlowStuckError(tellStuck(flow, ms)) : thrown };
    } finally {
      globals[PIECE] = undefined;
    }
    return settle(came);
  };
}

function settle<T>(came: Came<T> | undefined): T {
  if (came && "value" in came) return came.value;
  throw came?.thrown;
}

function isCutShort(thrown: unknown): boolean {
  return isA(thrown, Error) && "code" in thrown && thrown.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}

function tellStuck({ name }: BoundFlow, ms: number): string {
  return `Flow ${name} computed for ${ms / 1000} s without a pause, and was cut short. A flow only decides: what takes long belongs in a tool (TASKONAUT_FLOW_STUCK_MS is how long a flow may take).`;
}
