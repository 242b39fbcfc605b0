// Claiming due tasks: the way of every task through a worker begins here, so it is short.
//
// LQ1. Who claims holds the file's write lock, so two workers never find the same task free, and what a flow holds in
//      all is counted by one at a time.
// LQ2. Who finds nothing due has only read: idle workers do not get in the way of one that writes. A busy one writes
//      anyway, what came of the tasks before: its claim joins that write.

import { hasCode } from "../../core/errors.ts";
import type { TaskRow, Writable } from "../../core/record/record.ts";
import { NEXT } from "../../core/record/status.ts";
import type { ReadTask } from "../records.ts";
import { fitTogether } from "../sizes.ts";
import type { Claim, ClaimedTask, ClaimFlow, ClaimRequest } from "../store.ts";
import { workerNotRegistered } from "../worker-not-registered.ts";
import type { SqliteConnection } from "./connection.ts";
import { isCorrupt } from "./failures.ts";
import { bare, completeTasks, fillTasks } from "./read.ts";
import { TASK_COLUMNS } from "./tasks.ts";

const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** A walk along the index, past what living workers hold: they keep their place in the queue. */
const DUE = `
  from tasks indexed by tasks_due
  where flow_name = $flow and priority = $priority and due_at <= $now
    and (lease_owner is null or lease_owner in (select value from json_each($deadOwners)))
  order by due_at limit $limit`;

const SELECT_DUE = `select ${TASK_COLUMNS} ${DUE}`;

const IS_DUE = `select 1 ${DUE}`;

const COUNT_HELD = `
  select count(*) as held from tasks indexed by tasks_held
  where flow_name = $flow and lease_owner is not null and due_at is not null
    and lease_owner not in (select value from json_each($deadOwners))`;

const LEASE = `
  update tasks set lease_owner = $workerId, version = version + 1, updated_at = max(updated_at, $now)
  where id in (select value from json_each($ids))`;

const HAS_WORKER = "select 1 from workers where id = $workerId";

/** One step down the index per flow and priority, however many tasks sleep. */
const NEXT_DUE = `
  select min((
    select due_at from tasks indexed by tasks_due
    where flow_name = flow.value and priority = level.value and due_at > $now order by due_at limit 1
  )) as due_at
  from json_each($flows) as flow, json_each('${JSON.stringify(PRIORITIES)}') as level`;

/** See `Store.claimTasks`. */
export async function claimTasks(
  connection: SqliteConnection,
  request: ClaimRequest,
  now: () => number,
): Promise<Claim> {
  const joined = await connection.joinWrite(() => new DueQuery(connection, request, now()).claim());
  if (joined) return filled(connection, joined.result);
  const idle = await connection.read(() => {
    const query = new DueQuery(connection, request, now());
    return query.hasAny() ? undefined : query.nothing();
  });
  return idle ?? filled(connection, await connection.write(() => new DueQuery(connection, request, now()).claim()));
}

/** A task whose texts are damaged is given bare: whoever reads it by itself learns what is wrong with it. */
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

  constructor(
    private readonly connection: SqliteConnection,
    private readonly request: ClaimRequest,
    private readonly now: number,
  ) {
    this.#deadOwners = JSON.stringify(request.deadOwners);
  }

  hasAny(): boolean {
    const isDue = this.connection.prepare(IS_DUE);
    return this.request.flows.some(
      (flow) =>
        this.#roomOf(flow) > 0 &&
        PRIORITIES.some((priority) => isDue.get(this.#parameters(flow, priority, 1)) !== null),
    );
  }

  nothing(): Claim {
    const flows = JSON.stringify(this.request.flows.map(({ name }) => name));
    const next = this.connection.prepare<{ due_at: number | null }>(NEXT_DUE).get({ flows, now: this.now });
    return { tasks: [], nextDueAt: next?.due_at ?? null, now: this.now };
  }

  claim(): Claim {
    const { connection, now } = this;
    const { workerId } = this.request;
    if (!connection.prepare(HAS_WORKER).get({ workerId })) throw workerNotRegistered(workerId);
    const all = this.#select();
    if (all.length === 0) return this.nothing();
    const due = all.slice(0, fitTogether(all));
    connection.prepare(LEASE).run({ workerId, now, ids: JSON.stringify(due.map(({ id }) => id)) });
    const read = this.#complete(due);
    const tasks = due.map((task, index): ClaimedTask => {
      const takenFrom = task.lease_owner;
      task.lease_owner = workerId;
      task.version += 1;
      task.updated_at = Math.max(task.updated_at, now);
      const { record, isBare } = read[index] ?? bare(task);
      return isBare ? { record, takenFrom, isBare } : { record, takenFrom };
    });
    return { tasks, nextDueAt: null, now, ...(due.length < all.length && { isCut: true }) };
  }

  /** Where the file is damaged, each is to be read by itself: all others are as good as ever. */
  #complete(due: readonly TaskRow[]): ReadTask[] {
    try {
      return completeTasks(this.connection, due);
    } catch (error) {
      if (isCorrupt(error)) return due.map(bare);
      throw error;
    }
  }

  #select(): Writable<TaskRow>[] {
    const select = this.connection.prepare<TaskRow>(SELECT_DUE);
    const due: Writable<TaskRow>[] = [];
    for (const flow of this.request.flows) {
      let room = Math.min(this.#roomOf(flow), this.request.limit - due.length);
      for (const priority of PRIORITIES) {
        if (room <= 0) break;
        // one in a state that no taskonaut has written would be claimed again and again: nobody can write it either
        const found = select
          .all(this.#parameters(flow, priority, room))
          .filter((task) => Object.hasOwn(NEXT, task.status));
        room -= found.length;
        due.push(...found);
      }
    }
    return due;
  }

  #roomOf({ name, limit, heldMax }: ClaimFlow): number {
    if (heldMax === null) return limit;
    const count = this.connection.prepare<{ held: number }>(COUNT_HELD);
    const held = count.get({ flow: name, deadOwners: this.#deadOwners })?.held ?? 0;
    return Math.min(limit, heldMax - held);
  }

  #parameters(flow: ClaimFlow, priority: number, limit: number): Record<string, string | number> {
    return { flow: flow.name, priority, now: this.now, deadOwners: this.#deadOwners, limit };
  }
}
