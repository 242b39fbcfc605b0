/** A consistent copy of a database, complete and durable. */
export interface Backup {
  /** For people: `sqlite:/home/me/tasks.db`. */
  readonly from: string;
  /** The copy's path, absolute. */
  readonly file: string;
  readonly bytes: number;
  readonly tasks: number;
}
