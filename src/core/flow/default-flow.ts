/** The flow of a request that names none: `run-flow` alone, and `POST /tasks`, which is older than the other flows. */
export const DEFAULT_FLOW = "echo_add";
