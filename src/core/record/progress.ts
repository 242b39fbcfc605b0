/** How far a tool has come, as it tells it while it runs. */
export interface Progress {
  /** How much of it is done: 0 or more, in any unit. */
  readonly done?: number;
  /** How much there is, where that is known. */
  readonly total?: number;
  /** For people; what is longer than 500 characters is cut. */
  readonly message?: string;
}
