/** The id of a worker that does not exist: for requests that no worker makes. */
export const NOBODY = "00000000-0000-0000-0000-000000000000";
