/** The id of a worker that there is not: for who asks as none. */
export const NOBODY = "00000000-0000-0000-0000-000000000000";
