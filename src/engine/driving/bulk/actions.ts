// What an operation does to a page of tasks. After a crash, each action may be repeated on the same tasks: a post has
// the operation's key, an end stays an end, and a reopened task is newer than the operation.

import type { BulkAction } from "../../../core/api/bulk.ts";
import { hasCode, TaskonautError } from "../../../core/errors.ts";
import type { JsonText, TaskRecord } from "../../../core/record/record.ts";
import type { RowFilter } from "../../../core/record/row-filter.ts";
import { portionsOf } from "../../../store/removal-store.ts";
import { type BriefRow, type InboxPost, type ListKey, POSTS_MAX, type Store } from "../../../store/store.ts";
import type { BulkOperation } from "../../doors/bulk.ts";
import { planReopening, reopen } from "../../doors/reopen.ts";
import { readSignal } from "../../doors/signal.ts";
import { Pace } from "../../process/pace.ts";
import { cancelUnbegun } from "../../task/cancel-unbegun.ts";
import { refusedDamage } from "../../task/damage.ts";
import { Draft } from "../../task/draft.ts";
import { cancelByForce } from "../../task/force-cancel.ts";
import { cancelOf, signalOf } from "../../task/inbox-posts.ts";
import type { DrivingTools } from "../driving-tools.ts";
import { endByForce } from "../end-by-force.ts";
import { retryTask } from "../retry-task.ts";
import type { KnownNames } from "../../doors/known-names.ts";
import type { Tally } from "./tally.ts";

export interface ActionTools extends DrivingTools {
  readonly tasks: Pick<
    Store,
    "location" | "listTasks" | "searchTasks" | "postToTasks" | "removal" | "now" | "pauses" | "limits"
  >;
  /** Throws input_invalid. */
  readonly names: Pick<KnownNames, "check">;
  readonly resumeTask: (id: string) => Promise<unknown>;
}

/** One operation. */
export interface Acting {
  readonly operation: BulkOperation;
  /** The id of its task, which is the key of its posts. */
  readonly taskId: string;
  readonly match: RowFilter;
  readonly isMeant: (flowName: string) => boolean;
  readonly tally: Tally;
}

/**
 * Does page after page, from the given one on, while it may continue. Returns where the next page begins, undefined if
 * there is none. `goesOn` is asked after each page; an error from it ends the portion.
 */
export type ActOnPages = (
  acting: Acting,
  after: ListKey | undefined,
  tools: ActionTools,
  goesOn: () => boolean,
) => Promise<ListKey | undefined>;

/** The records of one page; whole tasks are read. */
const RECORDS = 250;

interface Page {
  readonly next: ListKey | undefined;
}

interface Rows extends Page {
  readonly rows: readonly BriefRow[];
}

interface Records extends Page {
  readonly records: readonly TaskRecord[];
  readonly damaged: readonly { readonly id: string; readonly damage: unknown }[];
}

type Read<Found extends Page> = (acting: Acting, after: ListKey | undefined, tools: ActionTools) => Promise<Found>;

/** Reads the next page while this one is written: otherwise each would wait for the other half of the time. */
function overPages<Found extends Page>(
  read: Read<Found>,
  act: (acting: Acting, page: Found, tools: ActionTools) => Promise<void>,
): ActOnPages {
  return async (acting, after, tools, goesOn) => {
    let page = await read(acting, after, tools);
    for (;;) {
      const ahead = page.next && read(acting, page.next, tools);
      ahead?.catch(() => {}); // whoever waits for it gets the error
      await act(acting, page, tools);
      if (!ahead || !goesOn()) return page.next;
      page = await ahead;
    }
  };
}

export const ACTIONS: Readonly<Record<BulkAction, ActOnPages>> = {
  cancel: overPages(readLeanRecords, async (acting, { records, damaged }, tools) => {
    for (const { id, damage } of damaged) acting.tally.fail(damage, id);
    const begun: string[] = [];
    await Promise.all(
      records.map(async (record) => {
        if (!(await cancelAtOnce(record, tools))) begun.push(record.task.id);
        else acting.tally.done();
      }),
    );
    const key = keyOf(acting);
    await post(
      begun.map((id) => ({ ...cancelOf(id), idempotency_key: key })),
      acting,
      tools,
    );
  }),

  signal: overPages(readRows(POSTS_MAX), async (acting, { rows }, tools) => {
    const texts = new PayloadTexts(acting, tools);
    const posts = rows.flatMap(({ id, flow_name }): InboxPost[] => {
      const text = texts.of(flow_name);
      if (!(text instanceof Error)) return [signalOf(id, acting.operation.signal?.name ?? "", text, keyOf(acting))];
      acting.tally.fail(text, id);
      return [];
    });
    await post(posts, acting, tools);
  }),

  retry: overPages(readWholeRecords, async (acting, { records, damaged }, tools) => {
    for (const { id, damage } of damaged) acting.tally.fail(damage, id);
    // a task that fails again has ended after that time, whatever the clocks say (BK1)
    const notBefore = acting.operation.at + 1;
    const storeNow = await tools.storeClock.recent();
    const pace = new Pace(tools.clock);
    // finished changes are written together: otherwise each turn of the loop would have its own commit
    const { promise: planned, resolve: isPlanned } = Promise.withResolvers<void>();
    const done: Promise<void>[] = [];
    for (const record of records) {
      await pace.turn();
      done.push(tallied(record.task.id, acting, () => retryOne(record, { notBefore, storeNow, planned }, tools)));
    }
    isPlanned();
    await Promise.all(done);
  }),

  resume: overPages(readRows(RECORDS), async (acting, { rows }, tools) => {
    for (const { id } of rows) await tallied(id, acting, () => tools.resumeTask(id));
  }),

  delete: overPages(readRows(POSTS_MAX), async (acting, { rows }, tools) => {
    const { removal } = tools.tasks;
    const pace = new Pace(tools.clock);
    let count = 0;
    for (const ids of portionsOf(
      rows.map(({ id }) => id),
      removal,
    )) {
      const result = await removal.removeTasks({ ids });
      if (result.kind === "removed") count += result.count;
      await pace.next();
    }
    acting.tally.countDone(count);
    if (count < rows.length)
      acting.tally.skip("Its parent has not ended, or it was just being written to.", null, rows.length - count);
  }),
};

/**
 * Ends all tasks without their clean-up. Where somebody drives a task, or has driven it here, it hears of the cancel
 * first, so that its tools are aborted. Whole tasks are read: a call that is cut short is written as a whole.
 */
export const cancelAllByForce: ActOnPages = overPages(readWholeRecords, async (acting, { records, damaged }, tools) => {
  for (const { id, damage } of damaged) acting.tally.fail(damage, id);
  const pace = new Pace(tools.clock);
  const driven: string[] = [];
  const done: Promise<void>[] = [];
  const end = async (record: TaskRecord): Promise<void> => {
    if (await endFreeByForce(record, tools)) acting.tally.done();
    else driven.push(record.task.id);
  };
  for (const record of records) {
    await pace.turn();
    done.push(end(record));
  }
  await Promise.all(done);
  const posts = driven.map((id) => ({ ...cancelOf(id, { force: true }), idempotency_key: keyOf(acting) }));
  for (let from = 0; from < posts.length; from += POSTS_MAX) {
    await tools.tasks.postToTasks(posts.slice(from, from + POSTS_MAX));
  }
  for (const id of driven) tools.onWoken(id);
  await Promise.all(driven.map((id) => tallied(id, acting, () => endDrivenByForce(id, tools))));
});

/** False: somebody drives the task, may know it, or has written to it meanwhile. */
async function endFreeByForce(record: TaskRecord, tools: ActionTools): Promise<boolean> {
  const { driven, clock, writer, log, children, onEnded } = tools;
  const { id, lease_owner, flow_name: flow } = record.task;
  if (lease_owner !== null || driven.remembered(id)) return false;
  const unlock = driven.lockNow(id);
  if (!unlock) return false;
  try {
    const draft = new Draft(record);
    cancelByForce(draft, clock.now());
    const change = draft.takeChange();
    if (!change || !(await writer.submitChange(change))) return false;
    log.warn?.("task cancelled by force", { task_id: id, flow });
    for (const told of change.posts) children.onPosted(told);
    onEnded(id);
    return true;
  } finally {
    unlock();
  }
}

/** Throws task_ended if the task came to another end first, and task_busy if its process does not react. */
async function endDrivenByForce(id: string, tools: ActionTools): Promise<void> {
  const { task } = await endByForce(id, tools);
  if (task.status !== "CANCELLED") throw new TaskonautError("task_ended", "It had ended meanwhile.");
}

function keyOf({ taskId }: Acting): string {
  return `bulk:${taskId}`;
}

function readRows(limit: number): Read<Rows> {
  return async ({ match, isMeant, taskId }, after, { tasks }) => {
    const { rows, next } = await tasks.searchTasks({ filter: match, limit, ...(after && { after }) });
    return { rows: rows.filter(({ id, flow_name }) => id !== taskId && isMeant(flow_name)), next };
  };
}

function readLeanRecords(acting: Acting, after: ListKey | undefined, tools: ActionTools): Promise<Records> {
  return readRecords(acting, after, tools, { isLean: true });
}

function readWholeRecords(acting: Acting, after: ListKey | undefined, tools: ActionTools): Promise<Records> {
  return readRecords(acting, after, tools, {});
}

async function readRecords(
  { match, isMeant, taskId }: Acting,
  after: ListKey | undefined,
  { tasks }: ActionTools,
  reading: { readonly isLean?: boolean },
): Promise<Records> {
  const list = await tasks.listTasks({ filter: match, limit: RECORDS, ...reading, ...(after && { after }) });
  const records: TaskRecord[] = [];
  const damaged: { id: string; damage: unknown }[] = [];
  for (const listed of list.tasks) {
    if (listed.damage) damaged.push({ id: listed.id, damage: listed.damage });
    else {
      const { record } = listed;
      const damage = refusedDamage(record, tasks.location);
      if (damage) damaged.push({ id: record.task.id, damage });
      else records.push(record);
    }
  }
  return {
    records: records.filter(({ task }) => task.id !== taskId && isMeant(task.flow_name)),
    damaged,
    next: list.next,
  };
}

/** Ends a task that nobody has begun and nobody holds. False: its flow has to hear of the cancel. */
async function cancelAtOnce(
  record: TaskRecord,
  { clock, writer, driven, log, onEnded, children }: ActionTools,
): Promise<boolean> {
  const { id, status, lease_owner, flow_name: flow, parent_task_id: parent } = record.task;
  if (status !== "PLANNED" || lease_owner !== null) return false;
  const draft = new Draft(record);
  cancelUnbegun(draft, clock.now());
  const change = draft.takeChange();
  if (!change || !(await writer.submitChange(change))) return false;
  driven.forget(id);
  log.info?.("task cancelled", { task_id: id, flow, parent });
  for (const told of change.posts) children.onPosted(told);
  onEnded(id);
  return true;
}

async function post(
  posts: readonly InboxPost[],
  { tally }: Acting,
  { tasks, log, onWoken }: ActionTools,
): Promise<void> {
  for (let from = 0; from < posts.length; from += POSTS_MAX) {
    const portion = posts.slice(from, from + POSTS_MAX);
    const told = await tasks.postToTasks(portion);
    for (const [place, { task_id: id, kind }] of portion.entries()) {
      if (told[place] === "refused") tally.skip("It had ended meanwhile.", id);
      else if (kind === "cancel") tally.donePending();
      else tally.done();
      if (told[place] !== "posted") continue;
      log.info?.(kind === "cancel" ? "task cancel requested" : "signal received", { task_id: id });
      onWoken(id);
    }
  }
}

/** The payload of a signal, by the contract of each flow. */
class PayloadTexts {
  readonly #texts = new Map<string, JsonText | Error>();

  constructor(
    private readonly acting: Acting,
    private readonly tools: ActionTools,
  ) {}

  of(flowName: string): JsonText | Error {
    const text = this.#texts.get(flowName) ?? this.#read(flowName);
    this.#texts.set(flowName, text);
    return text;
  }

  #read(flowName: string): JsonText | Error {
    const { signal } = this.acting.operation;
    try {
      const flow = this.tools.flows.ofTask({ id: "of it", flow_name: flowName, flow_file: null });
      return readSignal(flow, { name: "", payload: null, ...signal, bytesMax: this.tools.limits.inputBytes });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

async function retryOne(
  record: TaskRecord,
  {
    notBefore,
    storeNow,
    planned,
  }: { readonly notBefore: number; readonly storeNow: number; readonly planned: Promise<void> },
  tools: ActionTools,
): Promise<void> {
  const { flows, driven, clock, writer, limits, log } = tools;
  const { id, flow_name, parent_task_id: parent } = record.task;
  const flow = flows.ofTask(record.task);
  const stepsMax = limits.stepsPerTask;
  const plan = planReopening(flow, record, stepsMax);
  const unlock = plan.failed.some(({ kind }) => kind === "child") ? undefined : driven.lockNow(id);
  if (unlock) {
    try {
      const now = Math.max(clock.now(), notBefore);
      const change = reopen(flow, record, plan, { now, storeNow, stepsMax }).takeChange();
      await planned;
      if (!change || (await writer.submitChange(change))) {
        driven.forget(id);
        log.info?.("task reopened", { task_id: id, flow: flow_name, parent });
        tools.onWoken(id);
        return;
      }
    } finally {
      unlock();
    }
  }
  // with its children, one after the other; or in its current state, if somebody wrote to it after the read
  await retryTask(id, tools, { notBefore });
}

/**
 * If the task's state does not allow the action, the task is skipped; other failures are reported. An outage fails the
 * portion.
 */
async function tallied(id: string, { tally }: Acting, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
    tally.done();
  } catch (error) {
    if (hasCode(error, "database_unavailable") || hasCode(error, "shutting_down")) throw error;
    if (["task_not_retryable", "task_ended", "task_not_found"].some((code) => hasCode(error, code as "task_ended"))) {
      tally.skipFor(error, id);
    } else tally.fail(error, id);
  }
}
