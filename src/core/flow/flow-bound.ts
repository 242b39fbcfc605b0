// How long a piece of a flow's own code may run. It is module state as the watch is (`determinism.ts`), and set by whoever
// can cut short what runs; where nobody can, there is no bound.

/** A flow computed for too long, and was cut short in the middle: what it did meanwhile is worth nothing. */
export class FlowStuckError extends Error {
  override readonly name = "FlowStuckError";
}

/** Of a flow that was loaded from a file. */
export interface BoundFlow {
  readonly name: string;
  readonly file?: string;
}

/**
 * Gives what `piece` gives and throws what it throws, or FlowStuckError. What is cut short ends anywhere, past every
 * `catch` and `finally`: nothing that it could change may be used afterwards.
 */
export type Bound = <T>(flow: BoundFlow, piece: () => T) => T;

let bound: Bound | undefined;

/** Gives the one that was set before. */
export function setBound(to: Bound | undefined): Bound | undefined {
  const former = bound;
  bound = to;
  return former;
}

/** Flows that come with the program are known to come to an end. */
export function within<T>(flow: BoundFlow, piece: () => T): T {
  return bound === undefined || flow.file === undefined ? piece() : bound(flow, piece);
}
