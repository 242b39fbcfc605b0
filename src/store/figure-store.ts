// Figures of the whole store, besides the counts of its tasks. Each is read from a range of an index, and counted up to
// FIGURE_MAX at most, because monitoring asks again and again.

/** The largest count of anything. */
export const FIGURE_MAX = 1_000;

/** The most flows of one request. */
export const FIGURE_FLOWS_MAX = 200;

export interface FlowFigures {
  readonly flow_name: string;
  /** Due tasks that nobody holds. */
  readonly due: number;
  /** How long the first of them has been due, in milliseconds; null: there is none. */
  readonly oldest_due_ms: number | null;
  /** Tasks that rest, and have a step in doubt. */
  readonly in_doubt: number;
  readonly parked: number;
}

/** The figures of a tool's limit. */
export interface TicketFigure {
  readonly limit_name: string;
  /** Steps that wait for a ticket. */
  readonly waiting: number;
}

/** Figures of workers whose leases have not passed, and that take tasks from the queue. */
export interface WorkerFigures {
  readonly workers: number;
  /** How many tasks they drive at once. */
  readonly slots: number;
}

export interface FigureStore {
  /** Of these flows, at most FIGURE_FLOWS_MAX, in any order. */
  ofFlows(names: readonly string[]): Promise<readonly FlowFigures[]>;
  /** Of all limits of tools, by name. */
  ofTickets(): Promise<readonly TicketFigure[]>;
  ofWorkers(): Promise<WorkerFigures>;
}
