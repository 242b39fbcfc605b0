// A process is about to be killed for what it did for one task. That is put down: so the task is parked when it has
// happened too often in a row, and whatever else the process held is no suspect.

/** What the process did when it got stuck, and what is to be told of it. */
export interface Blame {
  readonly workerId: string;
  readonly taskId: string;
  /** Of the tool that blocked it; empty: it was the flow's own code. */
  readonly stepId: string;
  /** For how long. */
  readonly seconds: number;
  /** After so many in a row the task is parked. */
  readonly deathsMax: number;
}

/** Why the task is parked. `step`: undefined where the flow's own code was stuck. */
export function tellBlame(
  { seconds, deathsMax }: Pick<Blame, "seconds" | "deathsMax">,
  flow: string,
  step: { readonly step_index: number; readonly step_name: string } | undefined,
): string {
  const what = step ? `step ${step.step_index} (${step.step_name})` : `the code of flow ${flow}`;
  const mend = step ? "Mend its tool" : "Mend the flow";
  return `The processes that ran ${what} died ${deathsMax} times in a row while it ran: each was killed, for it held the event loop for ${seconds.toFixed(1)} s in one go. ${mend}, and take the task up again with resume-task.`;
}
