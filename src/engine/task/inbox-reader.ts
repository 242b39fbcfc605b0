// Reads a task's inbox and the clock, and records both in the task's state.

import type { InboxRow, StepRow } from "../../core/record/record.ts";
import type { InboxPage } from "../../store/store.ts";
import type { DriverTools } from "./driver-tools.ts";
import { findEvent, isForAny } from "./wait-events.ts";
import { isForcedCancel } from "./inbox-posts.ts";
import type { TaskState } from "./task-state.ts";

export class InboxReader {
  #isWoken: boolean;

  constructor(
    private readonly state: TaskState,
    private readonly tools: Pick<DriverTools, "store" | "storeClock">,
    isWoken: boolean,
  ) {
    this.#isWoken = isWoken;
  }

  /** Whether something may have come since the last read of the inbox. */
  get isWoken(): boolean {
    return this.#isWoken;
  }

  /** Something may have come: the inbox is to be read soon. */
  wake(): void {
    this.#isWoken = true;
  }

  /**
   * True: there is now an outcome to observe, a cancel, or a tool to call again; or the task was ended by force. Throws
   * what the store throws.
   */
  async collect(): Promise<boolean> {
    const { state } = this;
    this.#isWoken = false;
    if (state.isEnded) return true;
    const isTimed = state.task.expires_at !== null || state.waitingSteps().some((step) => step.due_at !== null);
    // first the time: everything before it is in the inbox by then
    const now = isTimed ? await this.tools.storeClock.read() : 0;
    const { wakeSeq, rows, isAll } = await this.#readInbox();
    if (rows.some(isForcedCancel)) {
      for (const { kind, seq } of rows) if (kind === "cancel") state.inbox.consume(seq);
      state.cancelByForce();
      return true;
    }
    // what is read here puts the task into the queue
    if (!isTimed && rows.length > 0) await this.tools.storeClock.recent();
    let isReady = false;
    let isHeard = isAll;
    for (;;) {
      const inbox = rows.filter((row) => !state.inbox.isConsumed(row.seq));
      const isCancelled = state.task.cancelled_after !== null;
      const { event, consumed, cancels } = findEvent(state.openSteps(), inbox, now, isCancelled);
      state.noteCancels(cancels);
      const isNext = event?.outcome === undefined || state.nextUnobserved === undefined;
      if (!isNext || (cancels.length > 0 && !isCancelled)) isHeard = false;
      if (event && !isNext) break;
      for (const seq of consumed) state.inbox.consume(seq);
      if (!event) break;
      if (event.outcome) state.steps.recordEvent(event.step, event.outcome);
      else {
        state.steps.reopen(event.step);
        isReady = true;
      }
      // the next entry may be on a page that was not read
      if (!isAll) break;
    }
    // until the flow has heard of it, the inbox is not finished: there may be more
    if (isHeard && !state.nextUnobserved) state.inbox.seeWake(wakeSeq);
    else this.wake();
    return isReady || state.nextUnobserved !== undefined || state.isCancelling;
  }

  /**
   * Reads page by page, until it finds something for a wait, or the end. It reads only what the open steps may hear: if
   * more steps are opened, the inbox is read again.
   */
  async #readInbox(): Promise<{ wakeSeq: number; rows: readonly InboxRow[]; isAll: boolean }> {
    const { state } = this;
    const open = state.openSteps();
    const names = [
      ...new Set(open.flatMap(({ kind, target }) => (kind === "signal" && target !== null ? target : []))),
    ];
    const rows = new Map<number, InboxRow>();
    const read = (after: number): Promise<InboxPage> => this.tools.store.readInbox(state.task.id, { names, after });
    let page = await read(0);
    // from now on, new entries make the task due again
    const { wakeSeq } = page;
    for (;;) {
      const fresh = page.rows.filter(({ seq }) => !state.inbox.isConsumed(seq));
      for (const row of fresh) rows.set(row.seq, row);
      if (page.next === null || fresh.some((row) => isForAny(row, open))) break;
      page = await read(page.next);
    }
    // cancels come with the first page, wherever they are
    const inOrder = [...rows.values()].toSorted((a, b) => a.seq - b.seq);
    return { wakeSeq, rows: inOrder, isAll: page.next === null };
  }

  /** The earliest end of a wait, among steps for which `childDue` gives none; undefined if no time is known. */
  nextDue(childDue: (step: StepRow) => number | undefined): number | undefined {
    const times = this.state.waitingSteps().flatMap((step) => step.due_at ?? childDue(step) ?? []);
    return times.length > 0 ? Math.min(...times) : undefined;
  }
}
