// The database of a simulation: the rows, and what each statement of a real store does to them. Every method is one
// transaction. It stands for both dialects; `sim-database.test.ts` holds it to SQLite, statement by statement.

import { TaskonautError } from "../../src/core/errors.ts";
import { canonicalJson } from "../../src/core/record/json.ts";
import type { InboxRow, StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../src/core/record/record.ts";
import type {
  Change,
  Claim,
  ClaimedTask,
  ClaimRequest,
  InboxPage,
  InboxPost,
  InboxQuery,
  NewPause,
  PauseRow,
  PauseScope,
  PostResult,
} from "../../src/store/store.ts";
import { isLimited, toolOfLine } from "../../src/store/store.ts";
import type { EndedQuery, EndedTasks, Removal, RemovalResult } from "../../src/store/removal-store.ts";
import { holdsBack } from "../../src/engine/process/known-pauses.ts";
import { toInboxPage } from "../../src/store/inbox-page.ts";
import { assertChanges } from "../../src/store/assert-changes.ts";
import { DEATHS_MAX, tellBlame } from "../../src/store/blame.ts";
import type { Expired } from "../../src/store/admission-store.ts";
import { SimLimits } from "./sim-limits.ts";

/** A task with all its rows, none of which is ever changed in place. */
export interface StoredTask {
  readonly task: TaskRow;
  readonly steps: ReadonlyMap<string, StepRow>;
  /** By idempotency key. */
  readonly calls: ReadonlyMap<string, ToolCallRow>;
  readonly inbox: readonly InboxRow[];
  /** `seq` of inbox rows that are dealt with. */
  readonly consumed: ReadonlySet<number>;
}

/** Told of every write, before others see it. `change`: where a driver made it. */
export type OnWrite = (write: {
  readonly before: StoredTask | undefined;
  readonly after: StoredTask;
  readonly change?: Change;
}) => void;

export class SimDatabase {
  readonly #tasks = new Map<string, StoredTask>();
  /** What was removed, as it was. */
  readonly #removed = new Map<string, StoredTask>();
  #lease = { owner: "", until: Number.NEGATIVE_INFINITY };
  onWrite: OnWrite = () => {};
  /** Told of each task before it is removed. */
  onRemove: (task: StoredTask) => void = () => {};
  /** Of each task: how often in a row a process was killed for it. */
  readonly #deaths = new Map<string, number>();
  /** Tasks that were claimed under a limit on their flow, and are held. */
  readonly #limited = new Set<string>();
  readonly #pauses = new Map<string, PauseRow>();
  /** Told where something is no longer paused. */
  onUnpaused: () => void = () => {};
  readonly limits: SimLimits;

  constructor() {
    this.limits = new SimLimits({
      tasks: () => this.tasks,
      find: (id) => this.find(id),
      isPaused: (line) => this.#pauses.has(`tool ${toolOfLine(line)}`),
      tell: (taskId, stepId, now) => this.#tellTicket(taskId, stepId, now),
    });
  }

  /** Every task, in the order of their creation in this database. */
  get tasks(): readonly StoredTask[] {
    return [...this.#tasks.values()];
  }

  /** By scope, then by name. */
  get pauses(): readonly PauseRow[] {
    return [...this.#pauses.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, pause]) => pause);
  }

  putPause(pause: NewPause, now: number): PauseRow {
    const row = { ...pause, since: now };
    this.#pauses.set(`${pause.scope} ${pause.name}`, row);
    return row;
  }

  removePause(scope: PauseScope, name: string): boolean {
    const wasPaused = this.#pauses.delete(`${scope} ${name}`);
    if (wasPaused) this.onUnpaused();
    return wasPaused;
  }

  find(id: string): StoredTask | undefined {
    return this.#tasks.get(id);
  }

  /** Also those that were removed. */
  get everyTask(): readonly StoredTask[] {
    return [...this.#removed.values(), ...this.#tasks.values()];
  }

  /** Also one that was removed. */
  findEver(id: string): StoredTask | undefined {
    return this.#tasks.get(id) ?? this.#removed.get(id);
  }

  findOpen(flow: string, key: string): string | undefined {
    return this.tasks.find(({ task }) => isOpenWith(task, flow, key))?.task.id;
  }

  findExpired(limit: number, now: number): Expired {
    const expired = this.tasks.filter(
      ({ task }) => task.expires_at !== null && task.expires_at <= now && task.lease_owner === null,
    );
    const inOrder = expired.toSorted(({ task: a }, { task: b }) => (a.expires_at ?? 0) - (b.expires_at ?? 0));
    const later = this.tasks.flatMap(({ task }) => ((task.expires_at ?? 0) > now ? (task.expires_at ?? 0) : []));
    const nextAt = later.length === 0 ? null : Math.min(...later);
    return { ids: inOrder.slice(0, limit).map(({ task }) => task.id), nextAt };
  }

  insertTasks(records: readonly TaskRecord[]): boolean[] {
    return records.map(({ task, steps, calls }) => {
      if (this.#tasks.has(task.id)) return false;
      const { flow_name: flow, unique_key: key } = task;
      if (key !== null && this.findOpen(flow, key) !== undefined) return false;
      const after = {
        task,
        steps: new Map(steps.map((step) => [step.id, step])),
        calls: new Map(calls.map((call) => [call.idempotency_key, call])),
        inbox: [],
        consumed: new Set<number>(),
      };
      this.#put(undefined, after);
      return true;
    });
  }

  commitChanges(changes: readonly Change[], now: number): boolean[] {
    assertChanges(changes);
    return changes.map((change) => this.#apply(change, now));
  }

  readTask(id: string): TaskRecord | undefined {
    const stored = this.#tasks.get(id);
    return stored && recordOf(stored);
  }

  readInbox(taskId: string, { names, after }: InboxQuery): InboxPage {
    const stored = this.#tasks.get(taskId);
    const unread = (stored?.inbox ?? []).filter((row) => !stored?.consumed.has(row.seq) && row.seq > after);
    const found = unread.filter((row) => row.name === null || names.includes(row.name));
    const [plain, other] = [true, false].map((isPlain) =>
      unread.filter((row) => row.kind === "cancel" && (row.payload === null) === isPlain),
    );
    const cancels = [...(plain ?? []).slice(0, 1), ...(other ?? []).slice(0, 1)];
    return toInboxPage(stored?.task.wake_seq ?? 0, { found, cancels });
  }

  postToTask(post: InboxPost, now: number): PostResult {
    const key = post.idempotency_key;
    const inbox = this.#tasks.get(post.task_id)?.inbox ?? [];
    const earlier = key === null ? undefined : inbox.find((row) => row.idempotency_key === key);
    if (earlier) {
      const same =
        earlier.name === post.name &&
        canonicalJson(earlier.payload ?? "null") === canonicalJson(post.payload ?? "null");
      return { kind: "duplicate", same };
    }
    return { kind: this.#post(post, now) ? "posted" : "refused" };
  }

  claimTasks({ workerId, limit, flows: asked, deadOwners }: ClaimRequest, now: number): Claim {
    const claimed: ClaimedTask[] = [];
    const { pauses } = this;
    const flows = asked.filter(({ name }) => !pauses.some((pause) => holdsBack(pause, name)));
    const isLiving = (owner: string | null): boolean => owner !== null && !deadOwners.includes(owner);
    for (const flow of flows) {
      const ofFlow = this.tasks.filter(({ task }) => task.flow_name === flow.name);
      const due = ofFlow
        .filter(({ task }) => task.due_at !== null && task.due_at <= now && !isLiving(task.lease_owner))
        .toSorted(({ task: a }, { task: b }) => {
          return a.priority - b.priority || (a.due_at ?? 0) - (b.due_at ?? 0) || (a.id < b.id ? -1 : 1);
        });
      const share = { ...flow, limit: Math.max(0, Math.min(limit - claimed.length, flow.limit)) };
      const isHeld = (task: TaskRow): boolean => isLiving(task.lease_owner) && this.#limited.has(task.id);
      const chosen = this.limits.choose(
        share,
        due.map(({ task }) => task),
        isHeld,
        now,
      );
      for (const before of chosen.flatMap(({ id }) => this.#tasks.get(id) ?? [])) {
        const after = this.#patch(before, now, { lease_owner: workerId });
        if (isLimited(flow)) this.#limited.add(after.task.id);
        else this.#limited.delete(after.task.id);
        claimed.push({ record: recordOf(after), takenFrom: before.task.lease_owner });
      }
    }
    const names = new Set(flows.map((flow) => flow.name));
    const later = this.tasks.flatMap(({ task }) =>
      names.has(task.flow_name) && task.due_at !== null && task.due_at > now ? [task.due_at] : [],
    );
    const nextDueAt = claimed.length > 0 || later.length === 0 ? null : Math.min(...later);
    return { tasks: claimed, nextDueAt, now, pauses };
  }

  releaseTasks({ workerId, except }: { workerId: string; except: readonly string[] }, now: number): number {
    const held = this.tasks.filter(({ task }) => task.lease_owner === workerId && !except.includes(task.id));
    for (const stored of held) this.#patch(withoutStarts(stored), now, { lease_owner: null });
    return held.length;
  }

  releaseOrphans(isRegistered: (owner: string) => boolean, now: number): number {
    const orphans = this.tasks.filter(({ task }) => task.lease_owner !== null && !isRegistered(task.lease_owner));
    for (const stored of orphans) this.#patch(stored, now, { lease_owner: null });
    return orphans.length;
  }

  unparkTasks(flows: readonly { name: string; code: string }[], now: number): number {
    const codeOf = new Map(flows.map(({ name, code }) => [name, code]));
    const parked = this.tasks.filter(
      ({ task }) =>
        codeOf.has(task.flow_name) && task.parked_reason !== null && task.parked_code !== codeOf.get(task.flow_name),
    );
    for (const stored of parked) this.#patch(stored, now, { parked_reason: null, parked_code: null, due_at: now });
    return parked.length;
  }

  /** As `store/blame.ts` says: the task counts its deaths, and what else the worker held is nobody's suspect. */
  blame({ taskId, workerId }: { taskId: string; workerId: string }, now: number): void {
    for (const stored of this.tasks) {
      const { id, lease_owner, finished_at } = stored.task;
      const isToBlame = id === taskId && finished_at === null && (lease_owner === null || lease_owner === workerId);
      if (isToBlame) this.#countDeath(stored, now);
      else if (lease_owner === workerId) this.#patch(withoutStarts(stored), now, { lease_owner: null });
    }
  }

  #countDeath(stored: StoredTask, now: number): void {
    const { id, flow_name: flow, flow_code } = stored.task;
    const deaths = (this.#deaths.get(id) ?? 0) + 1;
    const isOver = deaths >= DEATHS_MAX;
    const parked = {
      parked_reason: tellBlame({ seconds: 1, isKilled: true }, flow, undefined),
      parked_code: flow_code,
      due_at: null,
    };
    this.#patch(withoutStarts(stored), now, { lease_owner: null, ...(isOver && parked) });
    this.#deaths.set(id, deaths);
  }

  findEnded({ flow, status, keptMs, after }: EndedQuery, now: number): EndedTasks {
    const found = this.tasks
      .map(({ task }) => task)
      .filter((task) => task.flow_name === flow && task.status === status && task.created_at <= now - keptMs)
      .toSorted((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
      .filter(({ created_at: at, id }) => !after || at > after.createdAt || (at === after.createdAt && id > after.id));
    return { ids: found.filter((task) => this.#mayGo(task, now - keptMs)).map(({ id }) => id) };
  }

  removeTasks({ ids, keptMs, lease, isDryRun }: Removal, now: number): RemovalResult {
    if (lease) {
      if (this.#lease.owner !== lease.owner && this.#lease.until > now) return { kind: "busy" };
      this.#lease = { owner: lease.owner, until: now + lease.ms };
    }
    const before = keptMs === undefined ? Number.POSITIVE_INFINITY : now - keptMs;
    const going = [...new Set(ids)]
      .flatMap((id) => this.#tasks.get(id) ?? [])
      .filter(({ task }) => this.#mayGo(task, before));
    for (const stored of isDryRun ? [] : going) {
      this.onRemove(stored);
      this.#tasks.delete(stored.task.id);
      this.#removed.set(stored.task.id, stored);
    }
    return { kind: "removed", count: going.length };
  }

  #mayGo({ finished_at, parent_task_id }: TaskRow, before: number): boolean {
    const parent = parent_task_id === null ? undefined : this.#tasks.get(parent_task_id);
    return finished_at !== null && finished_at <= before && (parent === undefined || parent.task.finished_at !== null);
  }

  /** As if it had been in the queue from its creation on. */
  #tellTicket(task_id: string, step_id: string, now: number): boolean {
    const none = { name: null, payload: null, error: null, idempotency_key: null, attempt_epoch: null };
    if (!this.#post({ ...none, task_id, kind: "ticket", step_id }, now)) return false;
    const stored = this.#tasks.get(task_id);
    const { due_at = null, created_at = 0, status, lease_owner = null } = stored?.task ?? {};
    if (stored && due_at !== null && due_at > created_at && lease_owner === null && status !== "PLANNED") {
      this.#put(stored, { ...stored, task: { ...stored.task, due_at: created_at } });
    }
    return true;
  }

  #patch(before: StoredTask, now: number, patch: Partial<TaskRow>): StoredTask {
    const { version, updated_at } = before.task;
    const task = { ...before.task, ...patch, version: version + 1, updated_at: Math.max(updated_at, now) };
    return this.#put(before, { ...before, task });
  }

  #apply(change: Change, now: number): boolean {
    const before = this.#tasks.get(change.taskId);
    if (!before || !this.#passesFence(before.task, change)) return false;
    const { task } = change;
    const { flow_name: flow, unique_key: key } = task;
    if (change.reopens && key !== null && this.findOpen(flow, key) !== undefined) {
      throw new TaskonautError("internal", `The simulated database refuses a second open task of key ${key}.`);
    }
    const { wake_seq } = before.task;
    const isUnseen = wake_seq !== task.wake_seq && task.finished_at === null && task.parked_reason === null;
    const steps = new Map(before.steps);
    for (const step of change.newSteps) insert(steps, step.id, step);
    for (const step of change.changedSteps) update(steps, step.id, step);
    const calls = new Map(before.calls);
    for (const call of change.newCalls) insert(calls, call.idempotency_key, call);
    for (const call of change.changedCalls) update(calls, call.idempotency_key, call);
    const consumed = new Set([...before.consumed, ...change.consumed]);
    const after = {
      task: { ...task, wake_seq, due_at: isUnseen ? now : task.due_at },
      steps,
      calls,
      inbox: before.inbox,
      consumed,
    };
    this.#put(before, after, change);
    for (const post of change.posts) this.#post(post, now);
    return true;
  }

  #passesFence(now: TaskRow, { expectedVersion, expectedOwner, task, reopens }: Change): boolean {
    if (now.version !== expectedVersion || now.lease_owner !== expectedOwner) return false;
    const isOpen = now.finished_at === null || (reopens && now.status === "FAILED");
    return isOpen && (task.status !== "PLANNED" || now.status === "PLANNED");
  }

  #post(post: InboxPost, now: number): boolean {
    const before = this.#tasks.get(post.task_id);
    if (!before || before.task.finished_at !== null) return false;
    const { task } = before;
    const staysPut = task.parked_reason !== null || (task.status === "PLANNED" && post.kind !== "cancel");
    const seq = task.wake_seq + 1;
    this.#put(before, {
      ...before,
      task: { ...task, wake_seq: seq, due_at: staysPut ? task.due_at : now },
      inbox: [...before.inbox, { ...post, seq, created_at: now }],
    });
    return true;
  }

  #put(before: StoredTask | undefined, after: StoredTask, change?: Change): StoredTask {
    this.#tasks.set(after.task.id, after);
    if (after.task.lease_owner === null) this.#limited.delete(after.task.id);
    if (before && hasComeFurther(before.task, after.task)) this.#deaths.delete(after.task.id);
    this.onWrite({ before, after, ...(change && { change }) });
    return after;
  }
}

function withoutStarts(stored: StoredTask): StoredTask {
  return { ...stored, steps: new Map([...stored.steps].map(([id, step]) => [id, { ...step, starts: 0 }])) };
}

/** Or it was resumed: its deaths count from one again. */
function hasComeFurther(before: TaskRow, after: TaskRow): boolean {
  return (
    before.status !== after.status ||
    before.observed_count !== after.observed_count ||
    (before.parked_reason !== null && after.parked_reason === null)
  );
}

function isOpenWith(task: TaskRow, flow: string, key: string): boolean {
  return task.flow_name === flow && task.unique_key === key && task.finished_at === null;
}

/** Steps by step_index, calls by (created_at, step_index of their step). Copies: the reader's to change. */
export function recordOf({ task, steps, calls }: StoredTask): TaskRecord {
  const indexOf = (call: ToolCallRow): number => steps.get(call.task_step_id)?.step_index ?? 0;
  return {
    task: { ...task },
    steps: [...steps.values()].map((step) => ({ ...step })).toSorted((a, b) => a.step_index - b.step_index),
    calls: [...calls.values()]
      .map((call) => ({ ...call }))
      .toSorted((a, b) => a.created_at - b.created_at || indexOf(a) - indexOf(b)),
  };
}

function insert<Row>(rows: Map<string, Row>, key: string, row: Row): void {
  if (rows.has(key)) throw new Error(`There is a row ${key} already.`);
  rows.set(key, row);
}

function update<Row>(rows: Map<string, Row>, key: string, row: Row): void {
  if (!rows.has(key)) throw new Error(`There is no row ${key} to change.`);
  rows.set(key, row);
}
