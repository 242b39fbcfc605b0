// Paths: where a decision stands in the call tree of its flow (G1 in `branch.ts`). A path is a step's identity, so two
// places never share one, and it is text that every store takes: printable ASCII, whatever a user's keys hold.

/** What stands in a path as it is; `%`, `/` and `.` are its own signs. */
const ESCAPED = /[^ -~]|[%/.]/g;

/** In UTF-16 code units. A longer key is cut: its hash tells it from others that begin like it. */
const WHOLE_KEY_MAX = 200;

const KEY_SHOWN = 60;

/** The n-th operation of the branch at this path. */
export function operationPath(branch: string, number: number): string {
  return `${branch}/${number}`;
}

/** The member of the group at this path. Any two keys give two paths. */
export function memberPath(group: string, key: string): string {
  // `%~` is no escape, so no key that is whole looks like one that was cut
  const segment =
    key.length <= WHOLE_KEY_MAX ? escape(key) : `${escape(key.slice(0, KEY_SHOWN))}%~${hashOf(escape(key))}`;
  return `${group}.${segment}`;
}

/** Where a branch was cancelled: at this path, before its operation of this number. */
export interface Cut {
  readonly branch: string;
  readonly operation: number;
}

/** Whether a step was planned in the branch, or below it, by the time at which it was cancelled. */
export function isBeforeCut(path: string, { branch, operation }: Cut): boolean {
  if (!path.startsWith(`${branch}/`)) return false;
  return Number.parseInt(path.slice(branch.length + 1), 10) < operation;
}

/** Each code unit that cannot stand in a path as `%` and four digits: lone surrogates have no other form. */
function escape(key: string): string {
  return key.replace(ESCAPED, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function hashOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
