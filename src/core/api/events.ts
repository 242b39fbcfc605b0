// What happens to tasks, for whoever wants to hear of it while it happens. An event is a hint: it says which task is at which
// version now, and who wants to know more reads the task. It may come twice, and it never comes before what it tells of is
// durable. Where one may have been missed, the listener is told to read anew.

import { TaskonautError, type Violation } from "../errors.ts";
import { WAIT_BITS, WAIT_KINDS, type WaitKind } from "../record/waits.ts";
import type { TaskStatus } from "../record/status.ts";
import { type FilterPair, FILTERS, type TaskFilter } from "./task-filter.ts";
import type { Timestamp } from "./task.ts";

export const EVENT_KINDS = ["created", "changed", "ended", "removed"] as const;

/** `changed`: taken up by a worker, let go of, moved on, further with a tool, woken. `removed`: it is not there any more. */
export type EventKind = (typeof EVENT_KINDS)[number];

export interface TaskEvent {
  readonly kind: EventKind;
  readonly task_id: string;
  /** Of the task after that. Events of one task come in this order; one that only wakes it leaves its version as it was. */
  readonly version: number;
  readonly flow_name: string;
  readonly status: TaskStatus;
  /** It is parked. */
  readonly parked: boolean;
  /** What it waits for while it rests. */
  readonly waiting_for: readonly WaitKind[];
  readonly parent_task_id: string | null;
  readonly schedule: string | null;
  readonly priority: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly at: Timestamp;
}

/** Told one after the other. Who has lost the stream goes on after the last `id` that he was given. */
export type Told =
  /** From now on everything is told: what is read after this is not older. */
  | { readonly kind: "ready"; readonly id: string }
  | { readonly kind: "event"; readonly id: string; readonly event: TaskEvent }
  /** Nothing has happened for a while. */
  | { readonly kind: "quiet"; readonly id: string }
  /** The server is away; it is asked again after `retryMs`. What happens meanwhile is told then, or a `resync`. */
  | { readonly kind: "lost"; readonly id: string; readonly reason: string; readonly retryMs: number }
  /** Something was or may have been missed: read anew what you show. `reason`: for people. */
  | { readonly kind: "resync"; readonly id: string; readonly reason: string };

/** A task has to match each field that is there. */
export interface Listening {
  /** Any of these tasks. */
  readonly tasks?: readonly string[] | undefined;
  /** Any of these kinds. */
  readonly kinds?: readonly EventKind[] | undefined;
  /** Of what an event tells: see `checkEventFilter`. */
  readonly filter?: TaskFilter | undefined;
  /** The id that was told last; what has happened since is told first, or that it cannot be told. */
  readonly after?: string | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

export interface Events {
  /**
   * Told in batches, `ready` in the first one. It ends when the signal aborts, or when this process closes; who is slow
   * is told `resync` instead of what has piled up. Throws input_invalid (a filter that no event decides).
   */
  listen(listening: Listening): AsyncIterable<readonly Told[]>;
}

/** Filters that need more of a task than an event tells. */
const NOT_OF_EVENTS = new Set([
  "since",
  "until",
  "updated-since",
  "updated-until",
  "finished-since",
  "finished-until",
  "error",
]);

/** The filters that events can be chosen by. */
export const EVENT_FILTERS = FILTERS.filter(({ name }) => !NOT_OF_EVENTS.has(name));

/** Says why events cannot be chosen by one of these; undefined: they can. */
export function problemOfPair([name, value]: FilterPair): string | undefined {
  if (NOT_OF_EVENTS.has(name)) return "events do not tell that: read the tasks that they are about";
  if (name === "waiting-for" && value.startsWith("signal:"))
    return "events do not tell which signal: use waiting-for signal";
  return undefined;
}

/** Throws input_invalid with every field that no event decides. */
export function checkEventFilter(filter: TaskFilter): void {
  const errors: Violation[] = FILTERS.flatMap((definition) =>
    definition.tell(filter).flatMap((value) => {
      const message = problemOfPair([definition.name, value]);
      return message === undefined ? [] : [{ path: definition.name, message }];
    }),
  );
  if (errors.length > 0) throw new TaskonautError("input_invalid", "Events cannot be chosen by this.", { errors });
}

/** Whether the listener wants to hear of it. */
export function isWanted(event: TaskEvent, { tasks, kinds, filter = {} }: Listening): boolean {
  const waitsFor = (kind: WaitKind): boolean => event.waiting_for.includes(kind);
  return (
    (tasks === undefined || tasks.includes(event.task_id)) &&
    (kinds === undefined || kinds.includes(event.kind)) &&
    (filter.flow === undefined || filter.flow.includes(event.flow_name)) &&
    (filter.status === undefined || filter.status.includes(event.status)) &&
    (!filter.parked || event.parked) &&
    (!filter.inDoubt || waitsFor("doubt")) &&
    (!filter.needsPerson || event.parked || waitsFor("doubt") || waitsFor("signal")) &&
    (filter.waitingFor === undefined || filter.waitingFor.some((wait) => waitsFor(wait as WaitKind))) &&
    Object.entries(filter.tags ?? {}).every(([key, value]) => event.tags[key] === value) &&
    (filter.parent === undefined || event.parent_task_id === filter.parent) &&
    (filter.schedule === undefined || event.schedule === filter.schedule) &&
    (filter.priority === undefined || event.priority === filter.priority)
  );
}

/** Of a task's row: the words for its bits. */
export function waitsFromBits(bits: number | null): readonly WaitKind[] {
  return WAIT_KINDS.filter((kind) => ((bits ?? 0) & WAIT_BITS[kind]) !== 0);
}
