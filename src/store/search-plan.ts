// How tasks are searched for, on both stores: which indexes are walked, and how far.
//
// SF1. A search walks one or more streams of keys, each a part of an index in order of creation: the open tasks of a
//      flow, its failed ones, those with a tag. The streams are merged, so a page has the same order whatever was
//      walked, and the next page may walk other streams.
// SF2. A page does a bounded amount of work. If the streams hold more than the filter accepts, the page may be short or
//      even empty, and says where the next one begins.
// SF3. If a stream was read only in part, its last key is a limit: keys of other streams beyond it wait for the next
//      page.
// SF4. The statement that reads a found row compares it with the whole filter: a task that changes meanwhile is not
//      reported in a state that it has left.

import { ALL_FLOWS, ANY_TASK, type RowFilter } from "../core/record/row-filter.ts";
import { isTerminal, NEXT, type TaskStatus } from "../core/record/status.ts";
import { WAIT_BITS } from "../core/record/waits.ts";
import type { ListKey } from "./store.ts";

/** Which index a stream is a part of. */
export type SourceKind =
  | "created"
  | "open"
  | "ended"
  | "parked"
  | "waiting"
  | "parent"
  | "schedule"
  | "priority"
  | "tag";

/** The first columns of an index, as texts; null if it has fewer. */
export type Prefix = readonly [string | null, string | null];

export interface Source {
  readonly kind: SourceKind;
  /** Which of its streams; a function picks from the existing ones. */
  readonly prefixes: readonly Prefix[] | ((prefix: Prefix) => boolean);
}

export interface SearchPlan {
  /** None: nothing can match. */
  readonly sources: readonly Source[];
  /** The streams hold tasks that the filter does not accept. */
  readonly hasRest: boolean;
  /** Only tasks created in this range: milliseconds since 1970. */
  readonly since: number | null;
  readonly until: number | null;
}

/** How many keys a page looks at if most may not match (SF2). */
export const CANDIDATES_MAX = 500;

/** How many keys of all streams together are read for a page, unless there are too many streams. */
const KEYS_MAX = 6000;

/** The fewest keys of each stream. */
const KEYS_MIN = 10;

const ENDED = (Object.keys(NEXT) as TaskStatus[]).filter(isTerminal);

export function planSearch(filter: RowFilter): SearchPlan {
  const { sources, rest } = chooseSources(filter);
  const untils = [filter.created.until, filter.updated.until, filter.finished.until].filter((time) => time !== null);
  return {
    sources,
    hasRest: !isAny({ ...rest, created: ANY_TASK.created }),
    since: filter.created.since,
    // tasks created later have not changed or ended before
    until: untils.length === 0 ? null : Math.min(...untils),
  };
}

/** How many keys of each stream to read, so that the page of `wanted` tasks is full if possible. */
export function keysOfEach(streams: number, wanted: number, hasRest: boolean): number {
  const [enough, max] = hasRest ? [CANDIDATES_MAX, 2 * CANDIDATES_MAX] : [wanted, KEYS_MAX];
  return Math.min(enough, Math.max(KEYS_MIN, Math.ceil(max / Math.max(1, streams))));
}

/** Where a page begins: after the last one, and not later than the filter allows. */
export function placeBefore(after: ListKey | undefined, until: number | null): ListKey {
  if (until === null) return after ?? { createdAt: Number.POSITIVE_INFINITY, id: HIGHEST };
  return after && after.createdAt < until ? after : { createdAt: until, id: LOWEST };
}

const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const LOWEST = "00000000-0000-0000-0000-000000000000";

/** `rest`: the part of the filter that the streams leave to be compared. The narrowest first. */
function chooseSources(filter: RowFilter): { readonly sources: readonly Source[]; readonly rest: RowFilter } {
  const { flows, parentId, schedule, priority, tags, waits, signals, pausedFlows, fullFlows } = filter;
  const isOfFlow = ([flow]: Prefix): boolean => flow !== null && (flows === null || flows.includes(flow));
  const ofFlows = flows?.map((flow): Prefix => [flow, null]) ?? isOfFlow;
  const waiting = (bits: number): Source => ({
    kind: "waiting",
    prefixes: (prefix) => isOfFlow(prefix) && (Number(prefix[1]) & bits) !== 0,
  });
  if (parentId !== null) return alone({ kind: "parent", prefixes: [[parentId, null]] }, { ...filter, parentId: null });
  if (schedule !== null)
    return alone({ kind: "schedule", prefixes: [[schedule, null]] }, { ...filter, schedule: null });
  const [tag, ...otherTags] = tags;
  if (tag) return alone({ kind: "tag", prefixes: [[tag.key, tag.value]] }, { ...filter, tags: otherTags });
  if (priority !== null && priority !== USUAL_PRIORITY)
    return alone({ kind: "priority", prefixes: [[String(priority), null]] }, { ...filter, priority: null });
  const withoutFlows = { ...filter, flows: null };
  if (filter.isParked) return alone({ kind: "parked", prefixes: ofFlows }, { ...withoutFlows, isParked: false });
  if (filter.isInDoubt) return alone(waiting(WAIT_BITS.doubt), { ...withoutFlows, isInDoubt: false });
  if (waits !== 0 || signals.length > 0) {
    const bits = signals.length > 0 ? waits | WAIT_BITS.signal : waits;
    const held = [...pausedFlows, ...fullFlows.map(({ name }) => name)];
    if (held.length > 0) {
      const isHeld = ([flow]: Prefix): boolean => flow !== null && (held.includes(ALL_FLOWS) || held.includes(flow));
      const open: Source = { kind: "open", prefixes: (prefix) => isOfFlow(prefix) && isHeld(prefix) };
      return { sources: [waiting(bits), open], rest: withoutFlows };
    }
    return alone(waiting(bits), signals.length > 0 ? withoutFlows : { ...withoutFlows, waits: 0 });
  }
  if (filter.needsPerson) {
    const sources: Source[] = [{ kind: "parked", prefixes: ofFlows }, waiting(WAIT_BITS.signal | WAIT_BITS.doubt)];
    return { sources, rest: { ...withoutFlows, needsPerson: false } };
  }
  return byStatus(filter, ofFlows);
}

function byStatus(
  filter: RowFilter,
  ofFlows: Source["prefixes"],
): { readonly sources: readonly Source[]; readonly rest: RowFilter } {
  const { flows, statuses, error, finished } = filter;
  const isOfEnded = finished.since !== null || finished.until !== null;
  if (flows === null && statuses === null && error === null && !isOfEnded) {
    return alone({ kind: "created", prefixes: [[null, null]] }, filter);
  }
  const wanted = statuses ?? (Object.keys(NEXT) as TaskStatus[]);
  const ended = ENDED.filter((status) => wanted.includes(status) && (error === null || status === "FAILED"));
  const hasOpen = error === null && !isOfEnded && wanted.some((status) => !isTerminal(status));
  const hasAllOpen = (Object.keys(NEXT) as TaskStatus[]).every(
    (status) => isTerminal(status) || wanted.includes(status),
  );
  const ofEnded: Source = {
    kind: "ended",
    prefixes:
      flows?.flatMap((flow) => ended.map((status): Prefix => [flow, status])) ??
      (([, status]) => ended.some((each) => each === status)),
  };
  const sources: Source[] = [
    ...(hasOpen ? [{ kind: "open", prefixes: ofFlows } as const] : []),
    ...(ended.length > 0 ? [ofEnded] : []),
  ];
  return { sources, rest: { ...filter, flows: null, statuses: hasOpen && !hasAllOpen ? statuses : null } };
}

/** The streams of each source. `read` returns the existing ones of a kind. */
export async function streamsOf(
  sources: readonly Source[],
  read: (kind: PrefixKind) => Prefix[] | Promise<Prefix[]>,
): Promise<readonly Streams[]> {
  const streams: Streams[] = [];
  let flows: readonly Prefix[] = [];
  for (const { kind, prefixes } of sources) {
    if (typeof prefixes !== "function") {
      streams.push({ kind, prefixes });
      continue;
    }
    const found = await read(kind as PrefixKind);
    // a task that ends meanwhile is looked for among the ended ones, even if it is the first to end
    const ends = kind === "ended" ? flows.flatMap(([flow]) => ENDED.map((status): Prefix => [flow, status])) : [];
    const all = new Map([...found, ...ends].map((prefix) => [prefix.join(" "), prefix]));
    const wanted = [...all.values()].filter(prefixes);
    if (kind === "open") flows = wanted;
    streams.push({ kind, prefixes: wanted });
  }
  return streams.filter((each) => each.prefixes.length > 0);
}

export interface Streams {
  readonly kind: SourceKind;
  readonly prefixes: readonly Prefix[];
}

/** Indexes whose first columns are looked up, because they have few values. */
export type PrefixKind = "open" | "ended" | "parked" | "waiting";

function alone(source: Source, rest: RowFilter): { readonly sources: readonly Source[]; readonly rest: RowFilter } {
  return { sources: [source], rest };
}

/** Nearly all tasks have this state, and it has no index. */
const USUAL_PRIORITY = 5;

function isAny(filter: RowFilter): boolean {
  return Bun.deepEquals(filter, ANY_TASK);
}
