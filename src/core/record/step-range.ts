// Which steps of a task somebody looks at.

/** A range of step_index, both ends included; `last`: the newest one. */
export type StepRange = { readonly from: number; readonly to: number } | "last";

/** What is told of a task where nobody looks at its steps. */
export const NO_STEPS: StepRange = { from: 0, to: -1 };
