// Every error that a person or a program may see. The code is stable. The table gives the HTTP status and the exit code.

interface ErrorFacts {
  /** What the HTTP server answers. */
  readonly status: number;
  /** What the CLI exits with: 2 usage or contract, 3 not found, 4 conflict, 5 database or API unreachable, or output not written. */
  readonly exit: number;
  /** Whether the same request may succeed later, without a change to it. */
  readonly retryable: boolean;
}

export const ERRORS = {
  usage: { status: 400, exit: 2, retryable: false },
  body_invalid: { status: 400, exit: 2, retryable: false },
  unauthorized: { status: 401, exit: 2, retryable: false },
  forbidden: { status: 403, exit: 2, retryable: false },
  origin_forbidden: { status: 403, exit: 2, retryable: false },
  schedule_not_found: { status: 404, exit: 3, retryable: false },
  task_not_found: { status: 404, exit: 3, retryable: false },
  token_not_found: { status: 404, exit: 3, retryable: false },
  flow_not_found: { status: 404, exit: 3, retryable: false },
  pause_not_found: { status: 404, exit: 3, retryable: false },
  limit_not_found: { status: 404, exit: 3, retryable: false },
  route_not_found: { status: 404, exit: 3, retryable: false },
  method_not_allowed: { status: 405, exit: 2, retryable: false },
  max_steps_exhausted: { status: 409, exit: 4, retryable: false },
  task_busy: { status: 409, exit: 4, retryable: true },
  flow_paused: { status: 409, exit: 4, retryable: true },
  task_parked: { status: 409, exit: 4, retryable: false },
  task_ended: { status: 409, exit: 4, retryable: false },
  task_not_in_doubt: { status: 409, exit: 4, retryable: false },
  task_not_retryable: { status: 409, exit: 4, retryable: false },
  task_not_forkable: { status: 409, exit: 4, retryable: false },
  token_not_active: { status: 409, exit: 4, retryable: false },
  flow_not_loaded: { status: 409, exit: 4, retryable: false },
  schedule_exists: { status: 409, exit: 4, retryable: false },
  schedule_of_flow: { status: 409, exit: 4, retryable: false },
  schedule_busy: { status: 409, exit: 4, retryable: true },
  unique_key_taken: { status: 409, exit: 4, retryable: true },
  idempotency_key_reused: { status: 409, exit: 4, retryable: false },
  body_too_large: { status: 413, exit: 2, retryable: false },
  content_type_unsupported: { status: 415, exit: 2, retryable: false },
  input_invalid: { status: 422, exit: 2, retryable: false },
  task_id_invalid: { status: 422, exit: 2, retryable: false },
  flow_invalid: { status: 422, exit: 2, retryable: false },
  flow_load_failed: { status: 422, exit: 2, retryable: false },
  too_many_attempts: { status: 429, exit: 2, retryable: true },
  internal: { status: 500, exit: 70, retryable: false },
  database_unavailable: { status: 503, exit: 5, retryable: true },
  record_damaged: { status: 503, exit: 5, retryable: false },
  database_not_found: { status: 503, exit: 5, retryable: false },
  database_behind: { status: 503, exit: 5, retryable: false },
  database_ahead: { status: 503, exit: 5, retryable: false },
  database_foreign: { status: 503, exit: 5, retryable: false },
  migration_changed: { status: 503, exit: 5, retryable: false },
  api_unreachable: { status: 503, exit: 5, retryable: true },
  worker_not_registered: { status: 503, exit: 5, retryable: true },
  shutting_down: { status: 503, exit: 5, retryable: true },
  output_not_written: { status: 503, exit: 5, retryable: false },
  cancelled: { status: 499, exit: 130, retryable: false },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof ERRORS;

/** One violation of a contract: where (`a`, `items.0.sku`, "" for the whole) and what is wrong there. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

interface ErrorExtras {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly Violation[];
  readonly cause?: unknown;
}

/** The one error class of the product. The message says what, which id, which state, and what to do next. */
export class TaskonautError extends Error {
  override readonly name = "TaskonautError";
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: readonly Violation[];

  constructor(
    readonly code: ErrorCode,
    message: string,
    extras: ErrorExtras = {},
  ) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.details = extras.details ?? {};
    this.errors = extras.errors ?? [];
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** Whether this is one of our errors, with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is TaskonautError {
  return error instanceof TaskonautError && error.code === code;
}

/** The violations as one line for people: `a: expected integer; b: missing`. */
export function describeViolations(errors: readonly Violation[]): string {
  return errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
}
