// Events report what happens to tasks, while it happens. An event is a hint: it says which version a task has now, and a
// listener that needs more reads the task. An event may come twice, and it comes only after the change is durable. If
// events may have been missed, the listener is told to read again.

import { TaskonautError, type Violation } from "../errors.ts";
import { WAIT_BITS, WAIT_KINDS, type WaitKind } from "../record/waits.ts";
import type { TaskStatus } from "../record/status.ts";
import { type FilterPair, FILTERS, type TaskFilter } from "./task-filter.ts";
import type { Timestamp } from "./task.ts";

export const EVENT_KINDS = ["created", "changed", "ended", "removed"] as const;

/** `changed`: a worker took or released the task, it made progress, or it was woken. `removed`: it was deleted. */
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

/** One message after the other. After a broken connection, a listener continues after the last `id` that it got. */
export type Told =
  /** From now on the listener gets every event, so whatever it reads after this is not older. */
  | { readonly kind: "ready"; readonly id: string }
  | { readonly kind: "event"; readonly id: string; readonly event: TaskEvent }
  /** Nothing has happened for a while. */
  | { readonly kind: "quiet"; readonly id: string }
  /**
   * The server is away, or its store. It is asked again after `retryMs`, and then sends `ready`, and what has happened
   * meanwhile, or a `resync`.
   */
  | { readonly kind: "lost"; readonly id: string; readonly reason: string; readonly retryMs: number }
  /** Events were or may have been missed: read again what you show. `reason`: for people. */
  | { readonly kind: "resync"; readonly id: string; readonly reason: string };

/** A task has to match each field that is there. */
export interface Listening {
  /** Any of these tasks. */
  readonly tasks?: readonly string[] | undefined;
  /** Any of these kinds. */
  readonly kinds?: readonly EventKind[] | undefined;
  /** Of what an event tells: see `checkEventFilter`. */
  readonly filter?: TaskFilter | undefined;
  /** The last id that the listener got. Events since then come first, or a `resync` if they are no longer known. */
  readonly after?: string | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

export interface Events {
  /**
   * Messages in batches, with `ready` in the first one. It ends when the signal aborts, or when this process closes. A slow
   * listener gets `resync` instead of the events that have piled up. Throws input_invalid for a filter that needs more than
   * an event has.
   */
  listen(listening: Listening): AsyncIterable<readonly Told[]>;
}

/** Filters that need more of a task than an event has. */
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
