// A worker as people and programs see it, over HTTP and in the CLI alike.

import type { Timestamp } from "./task.ts";

export interface Worker {
  readonly id: string;
  /** Host and process id. */
  readonly name: string;
  /** `dead`: its tasks are there for the others. */
  readonly state: "alive" | "dead";
  /** How many tasks it drives at once; 0: it takes none from the queue, but runs tools for a caller. */
  readonly concurrency: number;
  /** Names of the flows whose tasks it can drive. */
  readonly flows: readonly string[];
  /** By name, the code of those that come from files: workers with the same file have the same. */
  readonly codes: Readonly<Record<string, string>>;
  /** How many tasks it holds now. */
  readonly tasks: number;
  readonly started_at: Timestamp;
  readonly lease_until: Timestamp;
  /** Of a damaged row, in lists: what is wrong with it. */
  readonly damage?: string;
}
