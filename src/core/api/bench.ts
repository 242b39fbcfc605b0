// The request and the result of `taskonaut bench`: figures of one run on one machine, for the engine and for a baseline of
// its database.

export interface BenchOptions {
  /** In each round, of each kind. */
  readonly tasks: number;
  /** How many the worker drives at once. */
  readonly concurrency: number;
  readonly rounds: number;
  /** Ends the run early: it rejects with `cancelled`, once everything has been taken away. */
  readonly signal: AbortSignal;
  /** What it does now, a few words. */
  readonly onProgress: (what: string) => void;
}

/** Of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface BenchRate {
  readonly name: "create" | "drain" | "drain_at_least_once";
  /** Tasks a second. */
  readonly engine: Spread;
  /** The same by hand-written SQL, in batches, in the same round. */
  readonly baseline: Spread;
  /** Engine to baseline, round by round. */
  readonly ratio: Spread;
  /** Of all rounds: for how long the event loop of the engine's process did not turn, at most. */
  readonly longest_stall_ms: number;
  readonly commits_per_task: number;
  readonly log_bytes_per_task: number;
  readonly baseline_log_bytes_per_task: number;
}

export interface BenchLatency {
  readonly samples: number;
  /** From the call that creates a task to its end, in milliseconds. */
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly longest_stall_ms: number;
  /** Of one bare commit of one row. */
  readonly commit_p50_ms: number;
}

export interface BenchMachine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly os: string;
  readonly bun: string;
}

export interface BenchReport {
  /** The schema or file that was made for it, and is gone by now. */
  readonly location: string;
  /** Settings of the database by their names there, and its version. */
  readonly durability: Readonly<Record<string, string>>;
  readonly machine: BenchMachine;
  readonly tasks: number;
  readonly rounds: number;
  readonly concurrency: number;
  /** Calls of createTask under way at a time. */
  readonly creates_in_flight: number;
  /** Tasks in one commit of the baseline. */
  readonly baseline_batch: number;
  readonly rates: readonly BenchRate[];
  readonly latency: BenchLatency;
  /** How many tasks the bytes and commits were counted over: the warm-up, whose rates do not count. */
  readonly counted_tasks: number;
  /** By which the tables and indexes grow for a task of echo_add that has ended. */
  readonly data_bytes_per_task: number;
  /** Of this whole process: baseline, engine and measuring together. */
  readonly peak_rss_bytes: number;
}
