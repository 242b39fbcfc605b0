// What an operation does to a page of tasks. Each of these may be done again to tasks that it was done to already, after a
// crash: a post has the operation's key, an end stays an end, and what was opened again is newer than the operation.

import type { BulkAction } from "../../../core/api/bulk.ts";
import { hasCode } from "../../../core/errors.ts";
import type { JsonText, TaskRecord } from "../../../core/record/record.ts";
import type { RowFilter } from "../../../core/record/row-filter.ts";
import { type BriefRow, type InboxPost, type ListKey, POSTS_MAX, type Store } from "../../../store/store.ts";
import type { BulkOperation } from "../../doors/bulk.ts";
import { planReopening, reopen } from "../../doors/reopen.ts";
import { readSignal } from "../../doors/signal.ts";
import { Pace } from "../../process/pace.ts";
import { cancelUnbegun } from "../../task/cancel-unbegun.ts";
import { Draft } from "../../task/draft.ts";
import { cancelOf, signalOf } from "../../task/inbox-posts.ts";
import type { DrivingTools } from "../driving-tools.ts";
import { retryTask } from "../retry-task.ts";
import type { Tally } from "./tally.ts";

export interface ActionTools extends DrivingTools {
  readonly tasks: Pick<Store, "listTasks" | "searchTasks" | "postToTasks" | "removal" | "now">;
  readonly resumeTask: (id: string) => Promise<unknown>;
}

/** One operation. */
export interface Acting {
  readonly operation: BulkOperation;
  /** Of its task: the key of its posts. */
  readonly taskId: string;
  readonly match: RowFilter;
  readonly isMeant: (flowName: string) => boolean;
  readonly tally: Tally;
}

/** Does the page that begins there; gives where the next one begins, undefined where there is none. */
export type ActOnPage = (
  acting: Acting,
  after: ListKey | undefined,
  tools: ActionTools,
) => Promise<ListKey | undefined>;

/** Records of one page; whole tasks are read. */
const RECORDS = 250;

export const ACTIONS: Readonly<Record<BulkAction, ActOnPage>> = {
  async cancel(acting, after, tools) {
    const { records, next } = await readRecords(acting, after, tools, { isLean: true });
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
    return next;
  },

  async signal(acting, after, tools) {
    const { rows, next } = await search(acting, after, tools);
    const texts = new PayloadTexts(acting, tools);
    const posts = rows.flatMap(({ id, flow_name }): InboxPost[] => {
      const text = texts.of(flow_name);
      if (!(text instanceof Error)) return [signalOf(id, acting.operation.signal?.name ?? "", text, keyOf(acting))];
      acting.tally.fail(text, id);
      return [];
    });
    await post(posts, acting, tools);
    return next;
  },

  async retry(acting, after, tools) {
    const { records, next } = await readRecords(acting, after, tools, {});
    // a task that fails again has ended later than that, whatever the clocks say (BK1)
    const notBefore = acting.operation.at + 1;
    const storeNow = await tools.storeClock.read();
    const pace = new Pace(tools.clock);
    const done: Promise<void>[] = [];
    for (const record of records) {
      await pace.turn();
      done.push(tallied(record.task.id, acting, () => retryOne(record, { notBefore, storeNow }, tools)));
    }
    await Promise.all(done);
    return next;
  },

  async resume(acting, after, tools) {
    const { rows, next } = await search(acting, after, tools, RECORDS);
    for (const { id } of rows) await tallied(id, acting, () => tools.resumeTask(id));
    return next;
  },

  async delete(acting, after, tools) {
    const { rows, next } = await search(acting, after, tools);
    const result = await tools.tasks.removal.removeTasks({ ids: rows.map(({ id }) => id) });
    const count = result.kind === "removed" ? result.count : 0;
    acting.tally.countDone(count);
    if (count < rows.length)
      acting.tally.skip("Its parent has not ended, or it was just being written to.", null, rows.length - count);
    return next;
  },
};

function keyOf({ taskId }: Acting): string {
  return `bulk:${taskId}`;
}

async function search(
  { match, isMeant, taskId }: Acting,
  after: ListKey | undefined,
  { tasks }: ActionTools,
  limit = POSTS_MAX,
): Promise<{ readonly rows: readonly BriefRow[]; readonly next: ListKey | undefined }> {
  const { rows, next } = await tasks.searchTasks({ filter: match, limit, ...(after && { after }) });
  return { rows: rows.filter(({ id, flow_name }) => id !== taskId && isMeant(flow_name)), next };
}

async function readRecords(
  { match, isMeant, taskId, tally }: Acting,
  after: ListKey | undefined,
  { tasks }: ActionTools,
  reading: { readonly isLean?: boolean },
): Promise<{ readonly records: readonly TaskRecord[]; readonly next: ListKey | undefined }> {
  const list = await tasks.listTasks({ filter: match, limit: RECORDS, ...reading, ...(after && { after }) });
  const records = list.tasks.flatMap((listed): TaskRecord[] => {
    if (!listed.damage) return [listed.record];
    tally.fail(listed.damage, listed.id);
    return [];
  });
  return { records: records.filter(({ task }) => task.id !== taskId && isMeant(task.flow_name)), next: list.next };
}

/** Of a task that nobody has begun and nobody holds: it has ended. False: its flow has to hear of it. */
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

/** What a signal carries, by the contract of each flow. */
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
  { notBefore, storeNow }: { readonly notBefore: number; readonly storeNow: number },
  tools: ActionTools,
): Promise<void> {
  const { flows, driven, clock, writer, limits, log } = tools;
  const { id, flow_name, parent_task_id: parent } = record.task;
  const flow = flows.ofTask(record.task);
  const stepsMax = limits.stepsPerTask;
  const plan = planReopening(flow, record, stepsMax);
  const unlock = plan.failed.some(({ kind }) => kind === "child") ? undefined : driven.lockNow(id);
  // with its children, one after the other
  if (!unlock) {
    await retryTask(id, tools, { notBefore });
    return;
  }
  try {
    const now = Math.max(clock.now(), notBefore);
    const change = reopen(flow, record, plan, { now, storeNow, stepsMax }).takeChange();
    if (change && !(await writer.submitChange(change))) throw new Error("It was just being written to.");
    driven.forget(id);
    log.info?.("task reopened", { task_id: id, flow: flow_name, parent });
    tools.onWoken(id);
  } finally {
    unlock();
  }
}

/** What cannot be done as the task is, is passed over; what else fails is told. An outage fails the portion. */
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
