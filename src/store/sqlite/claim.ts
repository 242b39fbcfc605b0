// Claims due tasks: the way of every task through a worker begins here, so it is short.
//
// LQ1. A claim holds the file's write lock, so two workers never find the same task free, and only one at a time counts
//      what a flow holds in total.
// LQ2. A claim that finds nothing due has only read: idle workers do not disturb a writing one. A busy worker writes
//      anyway, the results of the last tasks: its claim joins that write.

import { hasCode } from "../../core/errors.ts";
import type { TaskRow, Writable } from "../../core/record/record.ts";
import { ruleBrokenByTask } from "../../core/record/row-rules.ts";
import { NEXT } from "../../core/record/status.ts";
import type { ReadTask } from "../records.ts";
import { fitTogether } from "../sizes.ts";
import type { Rate } from "../limit-store.ts";
import { BEGUN_MAX, KeyTurns } from "../key-turns.ts";
import { type Claim, type ClaimedTask, type ClaimFlow, type ClaimRequest, isLimited } from "../store.ts";
import type { PauseRow } from "../pause-store.ts";
import { workerNotRegistered } from "../worker-not-registered.ts";
import { countStarts, type FlowRoom, type LimitedClaim, roomOf, takeByKeys } from "./claim-limited.ts";
import { noteEvents } from "./events.ts";
import type { SqliteConnection } from "./connection.ts";
import { isCorrupt } from "./failures.ts";
import { selectPauses } from "./pauses.ts";
import { bare, completeTasks, fillTasks } from "./read.ts";
import { isNumber } from "./statements.ts";
import { TASK_COLUMNS } from "./tasks.ts";

const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** A walk along the index, past tasks of living workers: these keep their place in the queue. */
const DUE = `
  from tasks indexed by tasks_due
  where flow_name = $flow and priority = $priority and due_at <= $now
    and (lease_owner is null or lease_owner in (select value from json_each($deadOwners)))
  order by due_at limit $limit`;

const SELECT_DUE = `select ${TASK_COLUMNS} ${DUE}`;

const IS_DUE = `select 1 ${DUE}`;

const LEASE = `
  update tasks set
    lease_owner = $workerId, limited = flow_name in (select value from json_each($limited)), version = version + 1, updated_at = max(updated_at, $now)
  where id in (select value from json_each($ids))`;

/** It has begun: from now on it comes before tasks of its key that have not. */
const LEASE_KEYED = LEASE.replace("limited =", "limit_begun = limit_key is not null, limited =");

/** If the rate of the flow is used up, tasks that have begun are searched among this many of the longest due. */
const BEGUN_OF_DUE = `
  select ${TASK_COLUMNS} from tasks where id in (
    select id from tasks indexed by tasks_due
    where flow_name = $flow and priority = $priority and due_at <= $now order by due_at limit ${BEGUN_MAX}
  ) and status <> 'PLANNED' and (lease_owner is null or lease_owner in (select value from json_each($deadOwners)))
  order by due_at limit $limit`;

const HAS_WORKER = "select 1 from workers where id = $workerId";

/** One step down the index per flow and priority, however many tasks sleep. */
const NEXT_DUE = `
  select min((
    select due_at from tasks indexed by tasks_due
    where flow_name = flow.value and priority = level.value and due_at > $now and ${isNumber("due_at")} order by due_at limit 1
  )) as due_at
  from json_each($flows) as flow, json_each('${JSON.stringify(PRIORITIES)}') as level`;

/** See `Store.claimTasks`. */
export async function claimTasks(
  connection: SqliteConnection,
  request: ClaimRequest,
  now: () => number,
  turns: KeyTurns,
): Promise<Claim> {
  const query = (): DueQuery => new DueQuery(connection, request, now(), turns);
  const joined = await connection.joinWrite(() => query().claim());
  if (joined) return filled(connection, joined.result);
  const idle = await connection.read(() => {
    const due = query();
    return due.hasAny() ? undefined : due.nothing();
  });
  return idle ?? filled(connection, await connection.write(() => query().claim()));
}

/** A task with damaged texts is returned bare: a separate read finds the damage. */
async function filled(connection: SqliteConnection, claim: Claim): Promise<Claim> {
  try {
    await fillTasks(
      connection,
      claim.tasks.map(({ record }) => record),
    );
    return claim;
  } catch (error) {
    if (!hasCode(error, "record_damaged")) throw error;
    return { ...claim, tasks: claim.tasks.map((claimed) => ({ ...claimed, ...bare(claimed.record.task) })) };
  }
}

class DueQuery {
  readonly #deadOwners: string;
  /** The limits of flows that have one. */
  readonly #rates = new Map<string, Rate>();
  /** Ids of tasks that had begun before, whatever state they are in. */
  readonly #begun = new Set<string>();
  #isCut = false;
  readonly #pauses: readonly PauseRow[];
  /** The flows that it may claim from: none is paused. */
  readonly #flows: readonly ClaimFlow[];

  constructor(
    private readonly connection: SqliteConnection,
    private readonly request: ClaimRequest,
    private readonly now: number,
    private readonly turns: KeyTurns,
  ) {
    this.#deadOwners = JSON.stringify(request.deadOwners);
    this.#pauses = selectPauses(connection);
    this.#flows = this.#pauses.length === 0 ? request.flows : request.flows.filter(({ name }) => !this.#isPaused(name));
  }

  hasAny(): boolean {
    const isDue = this.connection.prepare(IS_DUE);
    return this.#flows.some((flow) => {
      const found = this.#roomOf(flow);
      if (found.room <= 0) return false;
      // a look must not change whose turn it is
      if (flow.keys)
        return (
          takeByKeys(this.connection, { ...flow, limit: 1 }, { ...found, room: 1 }, this.#by(new KeyTurns())).tasks
            .length > 0
        );
      if (found.left <= 0) return this.#begunOf(flow, 1).length > 0;
      return PRIORITIES.some((priority) => isDue.get(this.#parameters(flow, priority, 1)) !== null);
    });
  }

  nothing(): Claim {
    const flows = JSON.stringify(this.#flows.map(({ name }) => name));
    const next = this.connection.prepare<{ due_at: number | null }>(NEXT_DUE).get({ flows, now: this.now });
    const times = this.#flows.map((flow) => (flow.rate ? this.#roomOf(flow).nextAt : null));
    const known = [next?.due_at ?? null, ...times].filter((time) => time !== null);
    return { tasks: [], nextDueAt: known.length > 0 ? Math.min(...known) : null, now: this.now, pauses: this.#pauses };
  }

  claim(): Claim {
    const { connection, now } = this;
    const { workerId } = this.request;
    if (!connection.prepare(HAS_WORKER).get({ workerId })) throw workerNotRegistered(workerId);
    const all = this.#select();
    if (all.length === 0) return this.nothing();
    const due = all.slice(0, fitTogether(all));
    const isKeyed = this.request.flows.some(({ keys }) => keys !== undefined);
    connection.prepare(isKeyed ? LEASE_KEYED : LEASE).run({
      workerId,
      now,
      ids: JSON.stringify(due.map(({ id }) => id)),
      limited: JSON.stringify(this.request.flows.filter(isLimited).map(({ name }) => name)),
    });
    this.#countStarts(due);
    const read = this.#complete(due);
    const tasks = due.map((task, index): ClaimedTask => {
      const takenFrom = task.lease_owner;
      task.lease_owner = workerId;
      task.version += 1;
      task.updated_at = Math.max(task.updated_at, now);
      const { record, isBare } = read[index] ?? bare(task);
      return isBare ? { record, takenFrom, isBare } : { record, takenFrom };
    });
    noteEvents(connection, "changed", due, now);
    return {
      tasks,
      nextDueAt: null,
      now,
      pauses: this.#pauses,
      ...((due.length < all.length || this.#isCut) && { isCut: true }),
    };
  }

  /** If the file is damaged, each task is read separately: all others are still fine. */
  #complete(due: readonly TaskRow[]): ReadTask[] {
    try {
      return completeTasks(this.connection, due);
    } catch (error) {
      if (isCorrupt(error)) return due.map(bare);
      throw error;
    }
  }

  #select(): Writable<TaskRow>[] {
    const due: Writable<TaskRow>[] = [];
    for (const flow of this.#flows) {
      const found = this.#roomOf(flow);
      const room = Math.min(found.room, this.request.limit - due.length);
      if (room > 0) due.push(...this.#selectOf(flow, { ...found, room }));
    }
    return due;
  }

  #isPaused(flow: string): boolean {
    return this.#pauses.some(({ scope, name }) => scope === "all" || (scope === "flow" && name === flow));
  }

  #selectOf(flow: ClaimFlow, found: FlowRoom): readonly Writable<TaskRow>[] {
    if (found.rate) this.#rates.set(flow.name, found.rate);
    if (flow.keys) {
      const taken = takeByKeys(this.connection, flow, found, this.#by(this.turns));
      for (const { id } of taken.begun) this.#begun.add(id);
      if (taken.isCut) this.#isCut = true;
      return taken.tasks.filter(isKnown);
    }
    if (found.left <= 0) return this.#begunOf(flow, found.room).filter(isKnown);
    const due: Writable<TaskRow>[] = [];
    const select = this.connection.prepare<Writable<TaskRow>>(SELECT_DUE);
    let room = Math.min(found.room, found.left);
    for (const priority of PRIORITIES) {
      if (room <= 0) break;
      const tasks = select.all(this.#parameters(flow, priority, room)).filter(isKnown);
      room -= tasks.length;
      due.push(...tasks);
    }
    return due;
  }

  #begunOf(flow: ClaimFlow, room: number): Writable<TaskRow>[] {
    const select = this.connection.prepare<Writable<TaskRow>>(BEGUN_OF_DUE);
    return PRIORITIES.flatMap((priority) => select.all(this.#parameters(flow, priority, room))).slice(0, room);
  }

  /** Tasks that have not begun count for the rate of their flow; tasks of a dead worker have counted before. */
  #countStarts(due: readonly TaskRow[]): void {
    for (const [name, rate] of this.#rates) {
      const count = due.filter(
        ({ id, flow_name, status, lease_owner }) =>
          flow_name === name && status === "PLANNED" && lease_owner === null && !this.#begun.has(id),
      ).length;
      countStarts(this.connection, { kind: "flow", name, rate, count }, this.now);
    }
  }

  #roomOf(flow: ClaimFlow): FlowRoom {
    return roomOf(this.connection, flow, { now: this.now, deadOwners: this.#deadOwners });
  }

  #by(turns: KeyTurns): LimitedClaim & { readonly turns: KeyTurns } {
    return { now: this.now, deadOwners: this.#deadOwners, turns };
  }

  #parameters(flow: ClaimFlow, priority: number, limit: number): Record<string, string | number> {
    return { flow: flow.name, priority, now: this.now, deadOwners: this.#deadOwners, limit };
  }
}

/**
 * A task with values that taskonaut never writes would be claimed again and again, or block all others: nobody can
 * write it.
 */
function isKnown(task: TaskRow): boolean {
  return Object.hasOwn(NEXT, task.status) && ruleBrokenByTask(task) === undefined;
}
