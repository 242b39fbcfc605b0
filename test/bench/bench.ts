/** One table of figures. Everything that a figure is compared with is measured in the same run, in turns with it. */
export interface Bench {
  /** For `bun run bench <name>…`. */
  readonly name: string;
  readonly title: string;
  /** Takes its own room and gives it back; bounded in time and count. */
  run(): Promise<readonly Row[]>;
}

/** A line of the table; all lines of a bench have the same columns. */
export type Row = Readonly<Record<string, string>>;
