// Distributes the events of tasks to all listeners in this process.
//
// EH1. All listeners share one reader of the journal. While nobody listens there is no reader, and nothing is written
//      either.
// EH2. After `ready` a listener gets every event that a later read of the store does not show. If that is not certain,
//      it gets `resync`. While the store is away it gets `lost`, once, and then `ready`.
// EH3. Listeners with the same filter share their events. The queue of a slow listener is bounded, and is replaced by a
//      `resync` when it is full: nothing waits for a listener.

import type { Clock } from "../../core/clock.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import {
  checkEventFilter,
  type Events,
  isWanted,
  type Listening,
  type TaskEvent,
  type Told,
} from "../../core/api/events.ts";
import { filterText } from "../../core/api/filter-text.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { type EventPage, type EventReader, EVENTS_KEPT, type EventStore } from "../../store/event-store.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import { Ear } from "./event-ear.ts";
import { eventsOf } from "./event-of-row.ts";
import { inSlices } from "./in-slices.ts";

/** How long the journal is kept up after this process last asked for it. */
const LISTEN_MS = 60_000;
/** How often the request is repeated; sooner after many events, because the request also removes old ones. */
const RENEW_MS = 20_000;
const RENEW_MS_MIN = 2000;
const TRIM_AFTER = EVENTS_KEPT / 2;

/** The time between two reads: the least, while there is news, and while there is none. */
const GAP_MS = 100;
const QUIET_MS = 1000;
const QUIETER = 1.5;

/** A listener without events for this long is told its position. */
const PULSE_MS = 10_000;

/** A write that began before anybody listened has ended after this time. */
const STRAGGLER_MS = 15_000;

/** The wait before `ready`: most earlier writes end within a few round trips. */
const FIRST_LOOKS = 20;

/** The most events of one group, at once and over time; more become one `resync`. */
const BURST_MAX = 2000;
const PER_SECOND = 500;

/** Listeners with the same filter. */
interface Group {
  readonly listening: Listening;
  readonly ears: Set<Ear>;
  /** How many events it may get now. */
  credit: number;
  creditAt: number;
  toldAt: number;
}

interface Kept {
  readonly position: number;
  readonly event: TaskEvent;
}

interface Tools {
  readonly events: EventStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Rejects if the filter names something that does not exist. */
  readonly checkNames?: (filter: TaskFilter) => Promise<void>;
}

export class EventHub implements Events {
  readonly #groups = new Map<string, Group>();
  #reader: EventReader | undefined;
  #epoch = "";
  /** Everything in the journal before it was read. */
  #next = 0;
  #kept: Kept[] = [];
  /** `kept` has everything that happened after it. */
  #floor = 0;
  /** Counts the rounds of telling: a listener that joins during one already has what it tells. */
  #round = 0;
  #opening: Promise<void> | undefined;
  #running: AbortController | undefined;
  #sleep = new AbortController();
  #isKicked = false;
  #renewedAt = 0;
  #readSince = 0;
  /** Since when a change may appear that the journal does not have. */
  #unwholeSince: number | undefined;
  #isClosed = false;

  constructor(private readonly tools: Tools) {}

  /** This process has written something, so the journal is read soon. Costs nothing while nobody listens. */
  kick(): void {
    if (this.#running === undefined) return;
    this.#isKicked = true;
    this.#sleep.abort();
  }

  async *listen(listening: Listening): AsyncGenerator<readonly Told[]> {
    checkEventFilter(listening.filter ?? {});
    // a continuing listener was let in before
    if (listening.after === undefined) await this.tools.checkNames?.(listening.filter ?? {});
    if (this.#isClosed || listening.signal?.aborted) return;
    const ear = new Ear();
    const key = keyOf(listening);
    // a leaving listener may never ask for the next batch
    const end = (): void => {
      ear.end();
      this.#leave(key, ear);
    };
    listening.signal?.addEventListener("abort", end, { once: true });
    let isIn = false;
    try {
      while (!isIn) {
        await (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
        isIn = this.#join(key, listening, ear);
      }
      for (;;) {
        const batch = await ear.next();
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      listening.signal?.removeEventListener("abort", end);
      this.#leave(key, ear);
    }
  }

  /** Ends all listeners. */
  close(): void {
    this.#isClosed = true;
    for (const { ears } of this.#groups.values()) for (const ear of ears) ear.end();
    this.#running?.abort();
    this.#sleep.abort();
  }

  /** False if it was closed, or everybody left, before this one came. */
  #join(key: string, listening: Listening, ear: Ear): boolean {
    if (this.#isClosed || listening.signal?.aborted) {
      ear.end();
      return true;
    }
    if (this.#running === undefined) return false;
    const { clock } = this.tools;
    const now = clock.elapsed();
    const group = this.#groups.get(key) ?? {
      listening,
      ears: new Set(),
      credit: BURST_MAX,
      creditAt: now,
      toldAt: now,
    };
    this.#groups.set(key, group);
    ear.tell(this.#firstOf(listening), { round: this.#round });
    group.ears.add(ear);
    return true;
  }

  #leave(key: string, ear: Ear): void {
    const group = this.#groups.get(key);
    group?.ears.delete(ear);
    if (group?.ears.size === 0) this.#groups.delete(key);
    if (this.#groups.size > 0) return;
    this.#running?.abort();
    this.#running = undefined;
  }

  /** The first events of a new listener. */
  #firstOf(listening: Listening): readonly Told[] {
    const { after } = listening;
    const id = this.#id(this.#next);
    if (after === undefined) return [{ kind: "ready", id }];
    const from = this.#positionOf(after);
    if (from === undefined) {
      const reason = "what has happened since that id is not known any more";
      return [
        { kind: "ready", id },
        { kind: "resync", id, reason },
      ];
    }
    const missed = this.#kept.filter(({ position, event }) => position >= from && isWanted(event, listening));
    if (missed.length === 0) return [{ kind: "ready", id }];
    return [
      { kind: "ready", id: after },
      ...missed.map(({ event }, place): Told => {
        const isLast = place === missed.length - 1;
        return { kind: "event", id: isLast ? id : after, event };
      }),
    ];
  }

  #id(position: number): string {
    return `${this.#epoch}.${position}`;
  }

  /** Undefined: the position belongs to another journal, or something after it is no longer known. */
  #positionOf(id: string): number | undefined {
    const [, epoch, digits = ""] = /^([\da-f-]{36})\.(\d{1,16})$/.exec(id) ?? [];
    const position = Number(digits);
    return epoch === this.#epoch && position >= this.#floor && position <= this.#next ? position : undefined;
  }

  /** Starts the reader if there is none. */
  async #open(): Promise<void> {
    if (this.#running) return;
    await this.#renew();
    for (let looks = 0; ;) {
      const page = await this.#read();
      this.#keep(page);
      if (page.isCut) continue;
      looks += 1;
      if (page.isWhole || looks === FIRST_LOOKS) break;
    }
    if (this.#running || this.#isClosed) return;
    const running = new AbortController();
    this.#running = running;
    this.#run(running).catch(() => {}); // it never rejects
  }

  async #run(running: AbortController): Promise<void> {
    const { clock, log } = this.tools;
    const goesOn = (): boolean => this.#running === running && !running.signal.aborted;
    let restMs = GAP_MS;
    let isLost = false;
    while (goesOn()) {
      await clock.sleep(GAP_MS, running.signal).catch(() => {});
      if (!this.#isKicked && restMs > GAP_MS) {
        this.#sleep = new AbortController();
        await clock.sleep(restMs - GAP_MS, AbortSignal.any([running.signal, this.#sleep.signal])).catch(() => {});
      }
      if (!goesOn()) return;
      this.#isKicked = false;
      try {
        const hasNews = await this.#look();
        restMs = hasNews ? GAP_MS : Math.min(restMs * QUIETER, QUIET_MS);
        if (isLost) this.#tellEveryone({ kind: "ready", id: this.#id(this.#next) });
        isLost = false;
      } catch (error) {
        restMs = QUIET_MS;
        const reason = messageOf(error);
        if (!isLost && error instanceof TaskonautError && error.retryable) {
          isLost = true;
          log.info?.("events not read", { error: reason });
          this.#tellEveryone({ kind: "lost", id: this.#id(this.#next), reason, retryMs: QUIET_MS });
        } else log.debug?.("events not read", { error: reason });
      }
      this.#pulse();
    }
  }

  /** Returns whether something has happened. */
  async #look(): Promise<boolean> {
    const { clock } = this.tools;
    const since = clock.elapsed() - this.#renewedAt;
    if (since >= RENEW_MS || (this.#readSince >= TRIM_AFTER && since >= RENEW_MS_MIN)) await this.#renew();
    const page = await this.#read();
    const before = this.#id(this.#next);
    const events = this.#keep(page);
    if (events.length > 0) await inSlices(this.#tellAll(events, before), { now: () => clock.elapsed() });
    if (page.isCut) this.#isKicked = true;
    return events.length > 0;
  }

  async #renew(): Promise<void> {
    const { epoch } = await this.tools.events.listen(LISTEN_MS);
    this.#renewedAt = this.tools.clock.elapsed();
    this.#readSince = 0;
    if (epoch !== this.#epoch) this.#begin(epoch);
  }

  /** The page comes from another journal than before. */
  #begin(epoch: string): void {
    const hadOne = this.#epoch !== "";
    this.#epoch = epoch;
    this.#reader = this.tools.events.openReader();
    this.#kept = [];
    this.#floor = 0;
    this.#next = 0;
    this.#unwholeSince = undefined;
    if (hadOne) this.#resync("nobody has listened for a while");
  }

  async #read(): Promise<EventPage> {
    const page = await this.#reader?.read();
    if (page && page.epoch === this.#epoch) return page;
    // the journal is gone, or another process has started a new one since our last request
    await this.#renew();
    if (page && page.epoch !== null && page.epoch !== this.#epoch) throw new Error("The journal is another one again.");
    const again = await this.#reader?.read();
    if (!again || again.epoch !== this.#epoch) throw new Error("The journal is another one again.");
    return again;
  }

  #keep({ rows, floor, next, isWhole }: EventPage): readonly TaskEvent[] {
    const kept = rows.flatMap((row) => eventsOf(row).map((event): Kept => ({ position: row.position, event })));
    const isFirst = this.#next === 0;
    if (isFirst) this.#floor = floor;
    else if (floor > this.#next) {
      // it was removed before we read it
      this.#kept = [];
      this.#floor = floor;
      this.#resync("too much has happened at once");
    }
    this.#next = next;
    this.#readSince += kept.length;
    this.#kept.push(...kept);
    if (this.#kept.length > 1.5 * EVENTS_KEPT) {
      const dropped = this.#kept.splice(0, this.#kept.length - EVENTS_KEPT);
      for (const { position } of dropped) this.#floor = Math.max(this.#floor, position + 1);
    }
    this.#noteStragglers(isWhole);
    return kept.map(({ event }) => event);
  }

  /** EH2. */
  #noteStragglers(isWhole: boolean): void {
    const now = this.tools.clock.elapsed();
    if (!isWhole && this.#unwholeSince === undefined) this.#unwholeSince = now;
    else if (this.#unwholeSince === undefined || this.#unwholeSince === Number.POSITIVE_INFINITY) return;
    else if (isWhole || now - this.#unwholeSince >= STRAGGLER_MS) {
      this.#unwholeSince = isWhole ? undefined : Number.POSITIVE_INFINITY;
      this.#resync("a change may have begun before anybody listened");
    }
  }

  /** EH3. `before`: the id before these events. */
  *#tellAll(events: readonly TaskEvent[], before: string): Generator<undefined, void> {
    const round = ++this.#round;
    const id = this.#id(this.#next);
    // listeners come and go between two groups
    for (const group of Array.from(this.#groups.values())) {
      const wanted = events.filter((event) => isWanted(event, group.listening));
      if (wanted.length > 0) {
        const batch = this.#spend(group, wanted.length)
          ? wanted.map((event, place): Told => ({
              kind: "event",
              id: place === wanted.length - 1 ? id : before,
              event,
            }))
          : [resyncOf(id, `${wanted.length} events at once`)];
        this.#tell(group, batch, round);
      }
      yield;
    }
  }

  /** Whether the group gets each of this many events. */
  #spend(group: Group, count: number): boolean {
    const now = this.tools.clock.elapsed();
    group.credit = Math.min(BURST_MAX, group.credit + ((now - group.creditAt) / 1000) * PER_SECOND);
    group.creditAt = now;
    if (count > group.credit) return false;
    group.credit -= count;
    return true;
  }

  #tell(group: Group, batch: readonly Told[], round: number): void {
    group.toldAt = this.tools.clock.elapsed();
    for (const ear of group.ears) ear.tell(batch, { round });
  }

  #resync(reason: string): void {
    this.#tellEveryone(resyncOf(this.#id(this.#next), reason));
  }

  #tellEveryone(told: Told): void {
    const round = ++this.#round;
    const batch = [told];
    for (const group of this.#groups.values()) this.#tell(group, batch, round);
  }

  #pulse(): void {
    const now = this.tools.clock.elapsed();
    const batch: readonly Told[] = [{ kind: "quiet", id: this.#id(this.#next) }];
    for (const group of this.#groups.values()) {
      if (now - group.toldAt >= PULSE_MS) this.#tell(group, batch, this.#round + 1);
    }
  }
}

function resyncOf(id: string, reason: string): Told {
  return { kind: "resync", id, reason };
}

/** Listeners with the same filter have the same key. */
function keyOf({ tasks, kinds, filter }: Listening): string {
  return JSON.stringify([tasks?.toSorted() ?? null, kinds?.toSorted() ?? null, filterText(filter ?? {})]);
}
