// `purge`: removes what retention would remove, now and by hand, a short portion with each call.

import { checkFilter, filterPairs } from "../../../core/api/filter-text.ts";
import { addPurged, type PurgedTasks, type PurgePage, type PurgeRequest } from "../../../core/api/purge.ts";
import { TaskonautError } from "../../../core/errors.ts";
import { END_STATUSES, type EndStatus, keptMsOf } from "../../../core/flow/retention.ts";
import type { RowFilter } from "../../../core/record/row-filter.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Limits } from "../../../core/limits.ts";
import type { ListKey, Store } from "../../../store/store.ts";
import { Pace } from "../../process/pace.ts";
import type { Audit } from "../../doors/audit.ts";
import type { KnownNames } from "../../doors/known-names.ts";
import { toRowFilter } from "../../doors/row-filter.ts";
import type { Flows } from "../../task/flows.ts";

interface PurgeTools {
  readonly tasks: Pick<Store, "searchTasks" | "now" | "removal">;
  readonly flows: Pick<Flows, "get" | "names">;
  readonly limits: Pick<Limits, "retention">;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly names: Pick<KnownNames, "check">;
}

/** The time of one call. */
const CALL_MS = 500;

/** The size of one read; with SQLite others write in between. */
const PAGE = 500;

/** Where the next call begins. */
interface Place {
  readonly flow: string;
  readonly status: EndStatus;
  readonly after: ListKey | undefined;
}

/** See `Bulk.purge`. */
export async function purge({ filter: given, isDryRun, cursor }: PurgeRequest, tools: PurgeTools): Promise<PurgePage> {
  const { tasks, flows, clock } = tools;
  if (cursor === undefined) await tools.names.check(checkFilter(given));
  const now = await tasks.now();
  const filter = toRowFilter(checkFilter(given), { now });
  const ended = await tasks.removal.listEndedFlows();
  const known = new Set(filter.flows ?? flows.names);
  const begin = cursor === undefined ? undefined : readCursor(cursor);
  let removed: readonly PurgedTasks[] = [];
  const pace = new Pace(clock);
  const end = clock.now() + CALL_MS;
  for (const place of placesOf(
    ended.filter((flow) => known.has(flow)),
    begin,
  )) {
    const { flow, status } = place;
    const keptMs = keptMsOf(flows.get(flow), status, tools.limits.retention);
    if (keptMs === null || filter.statuses?.includes(status) === false) continue;
    let { after } = place;
    do {
      if (clock.now() > end)
        return { removed, not_loaded: notLoaded(ended), next: writeCursor({ flow, status, after }) };
      const match = within(filter, { flow, status, before: now - keptMs });
      const page = await tasks.searchTasks({
        filter: match,
        limit: Math.min(PAGE, isDryRun ? PAGE : tasks.removal.portion()),
        ...(after && { after }),
      });
      const ids = page.rows.map(({ id }) => id);
      const doing = { action: "purge", kind: "tasks", target: flow, before: { status, tasks: ids } } as const;
      const audited = isDryRun ? {} : tools.audit(doing);
      const result = await tasks.removal.removeTasks({ ids, keptMs, isDryRun, ...audited });
      const count = result.kind === "removed" ? result.count : 0;
      if (count > 0) removed = addPurged(removed, [{ flow_name: flow, status, tasks: count }]);
      after = page.next;
      await pace.next();
    } while (after);
  }
  return { removed, not_loaded: notLoaded(ended), next: null };

  function notLoaded(all: readonly string[]): readonly string[] {
    const isFirst = cursor === undefined && filterPairs(given).every(([name]) => name !== "flow");
    return isFirst ? all.filter((flow) => !known.has(flow)) : [];
  }
}

/** Flow by flow and state by state, from that one on. Each store lists flows in an order of its own. */
function placesOf(flows: readonly string[], begin: Place | undefined): readonly Place[] {
  const all = flows
    .toSorted()
    .flatMap((flow) => END_STATUSES.map((status): Place => ({ flow, status, after: undefined })));
  if (!begin) return all;
  const order = ({ flow, status }: Place): string => `${flow} ${END_STATUSES.indexOf(status)}`;
  return all
    .filter((place) => order(place) >= order(begin))
    .map((place) => (order(place) === order(begin) ? begin : place));
}

function within(
  filter: RowFilter,
  { flow, status, before }: { flow: string; status: EndStatus; before: number },
): RowFilter {
  const { until } = filter.finished;
  return {
    ...filter,
    flows: [flow],
    statuses: [status],
    finished: { ...filter.finished, until: until === null ? before : Math.min(until, before) },
  };
}

function writeCursor({ flow, status, after }: Place): string {
  return [flow, status, ...(after ? [after.createdAt, after.id] : [])].join("/");
}

function readCursor(cursor: string): Place {
  const [, flow, status, createdAt, id] =
    /^([\w.-]{1,100})\/(COMPLETED|FAILED|CANCELLED)(?:\/(-?\d{1,16})\/([0-9a-f-]{36}))?$/.exec(cursor) ?? [];
  if (flow === undefined || status === undefined) {
    throw new TaskonautError("input_invalid", `${JSON.stringify(cursor)} is not a cursor of a purge.`, {
      errors: [{ path: "cursor", message: "is none of a purge: take it from the answer before" }],
    });
  }
  const after = createdAt === undefined || id === undefined ? undefined : { createdAt: Number(createdAt), id };
  return { flow, status: status as EndStatus, after };
}
