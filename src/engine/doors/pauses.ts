// Pauses and unpauses. KP1 and KP2 in `known-pauses.ts` say why a pause is effective when this returns.

import type { Clock } from "../../core/clock.ts";
import { TaskonautError } from "../../core/errors.ts";
import { isName, tellWrongName } from "../../core/flow/names.ts";
import type { Log } from "../../core/log.ts";
import { suggest } from "../../core/nearest.ts";
import { readNames } from "../../core/record/names.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { Pause, Paused, PauseOptions, Pauses, PauseTarget } from "../../core/api/pauses.ts";
import type { TellWait } from "../../core/waiting.ts";
import type { Judged } from "../../core/record/judged.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import type { PauseRow, PauseScope, Store } from "../../store/store.ts";
import { KNOWN_MS, type KnownPauses } from "../process/known-pauses.ts";
import { NOBODY } from "../process/nobody.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import type { Flows } from "../task/flows.ts";
import { toPause } from "../task/to-pause.ts";
import type { Audit } from "./audit.ts";

/** KP1: after this time no process starts anything based on older knowledge, and starts that were under way are done. */
const HELD_AFTER_MS = KNOWN_MS + 250;

/** KP2: how long a worker may take. A worker that stands still is dead by then, and its lease is over. */
const ANSWER_MS_MAX = 30_000;

const LOOK_MS = 100;

/** How often workers are notified again: notifications may get lost. */
const TELL_AGAIN_MS = 1000;

const REASON_MAX = 1000;
const BY_MAX = 200;
const PAUSES_MAX = 1000;

export interface PausingTools {
  readonly store: Pick<
    Store,
    "pauses" | "limits" | "announce" | "listWorkers" | "findTasks" | "readWorkerState" | "location"
  >;
  readonly known: KnownPauses;
  readonly flows: Pick<Flows, "names">;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Log;
  readonly notifier: Pick<QueueNotifier, "tellWorkers">;
  /** A task waited for a pause that is over. */
  readonly onWoken: (taskId: string) => void;
  readonly newId: () => string;
  /** Of this process, for people. */
  readonly name: string;
  readonly tellWait?: TellWait | undefined;
}

export class Pausing implements Pauses {
  constructor(private readonly tools: PausingTools) {}

  async list(): Promise<readonly Pause[]> {
    const { location } = this.tools.store;
    return (await this.#rows()).map((pause) => {
      const { damage: what, scope, name } = pause;
      if (what === undefined) return toPause(pause);
      const row = `The pause of ${scope === "all" ? "everything" : `${scope} ${name}`}`;
      return { ...toPause(pause), damage: rowDamaged({ location, table: "pauses", row, what }).message };
    });
  }

  async pause(target: PauseTarget, { reason, by, abort = false }: PauseOptions = {}): Promise<Paused> {
    const { store, clock, log, newId, audit, name: ownName } = this.tools;
    const key = keyOf(target);
    checkText("reason", reason, REASON_MAX);
    checkText("by", by, BY_MAX);
    if (target.scope === "flow") await this.#findFlow(target.name);
    const all = await this.#rows();
    if (all.length >= PAUSES_MAX) {
      throw invalid("name", `there are ${PAUSES_MAX} pauses already; take some back, or pause everything`);
    }
    const earlier = all.find((each) => each.scope === key.scope && each.name === key.name);
    const before = earlier && { reason: earlier.reason, by: earlier.made_by, abort: earlier.aborts === 1 };
    const after = { reason: reason ?? null, by: by ?? ownName, abort };
    const row = await store.pauses.put(
      { ...key, id: newId(), reason: after.reason, made_by: after.by, aborts: abort ? 1 : 0 },
      audit({ action: "pause", kind: key.scope, target: key.name, before, after, reason }),
    );
    log.warn?.("paused", { scope: row.scope, name: row.name, reason: row.reason, by: row.made_by });
    const unanswered = await this.#untilHeld(row, clock.elapsed());
    return { pause: toPause(row), unanswered };
  }

  async unpause(target: PauseTarget): Promise<void> {
    const { store, log, notifier, onWoken, audit } = this.tools;
    const { scope, name } = keyOf(target);
    const earlier = (await this.#rows()).find((each) => each.scope === scope && each.name === name);
    const before = earlier && { reason: earlier.reason, by: earlier.made_by, abort: earlier.aborts === 1 };
    const audited = audit({ action: "unpause", kind: scope, target: name, before });
    if (!(await store.pauses.remove(scope, name, audited))) throw await this.#notPaused(scope, name);
    log.warn?.("no longer paused", { scope, name });
    await this.#tellAll();
    if (scope === "tool") for (const id of (await store.limits.settle()).woken) onWoken(id);
    notifier.tellWorkers();
  }

  /** Gives the names of those that have not answered. */
  async #untilHeld({ scope, name }: PauseRow, pausedAt: number): Promise<readonly string[]> {
    const { clock, tellWait } = this.tools;
    let toldAt = Number.NEGATIVE_INFINITY;
    let isWaitTold = false;
    for (;;) {
      if (clock.elapsed() - toldAt >= TELL_AGAIN_MS) {
        toldAt = clock.elapsed();
        await this.#tellAll();
      }
      await clock.sleep(LOOK_MS);
      const passed = clock.elapsed() - pausedAt;
      if (passed < HELD_AFTER_MS) continue;
      // somebody else may have paused it anew, or ended the pause
      const pause = (await this.#rows()).find((row) => row.scope === scope && row.name === name);
      const unaware = pause ? await this.#findUnaware(pause.id) : [];
      if (unaware.length === 0 || passed >= ANSWER_MS_MAX) return unaware;
      if (!isWaitTold)
        tellWait?.(`${unaware.join(", ")} to take note of the pause (at most ${ANSWER_MS_MAX / 1000} s)`);
      isWaitTold = true;
    }
  }

  /** Living workers that take tasks from the queue. Others start nothing without having asked (KP1). */
  async #findUnaware(pauseId: string): Promise<readonly string[]> {
    const { store } = this.tools;
    const names: string[] = [];
    for (const { id, name, concurrency } of await store.pauses.findUnaware(pauseId)) {
      if (concurrency > 0 && (await store.readWorkerState(id)) === "alive") names.push(name);
    }
    return names;
  }

  /** This process first: it may have a worker, and hears of nobody else's news through itself. */
  async #tellAll(): Promise<void> {
    const { store, known, log } = this.tools;
    try {
      await known.read();
      await store.announce();
    } catch (error) {
      log.debug?.("workers not told of a pause", { error: messageOf(error) });
    }
  }

  async #rows(): Promise<readonly Judged<PauseRow>[]> {
    return (await this.tools.store.pauses.read(NOBODY)).pauses;
  }

  /** A name that nothing has would hold back nothing: loaded here, of a worker, or of one of the newest tasks. */
  async #findFlow(name: string): Promise<void> {
    const { flows, store } = this.tools;
    if (flows.names.includes(name)) return;
    const workers = await store.listWorkers();
    const known = new Set([...flows.names, ...workers.flatMap((worker) => readNames(worker.flows))]);
    if (known.has(name)) return;
    if ((await store.findTasks({ kind: "last", flow: name })).length > 0) return;
    const hint = suggest(name, [...known]) || ".";
    throw new TaskonautError(
      "flow_not_found",
      `Flow ${JSON.stringify(name)} not found${hint} No process has it, and there is no task of it.`,
      { details: { flow: name } },
    );
  }

  async #notPaused(scope: PauseScope, name: string): Promise<TaskonautError> {
    const rows = await this.#rows();
    const names = rows.filter((row) => row.scope === scope).map((row) => row.name);
    const what = scope === "all" ? "Not everything is paused" : `The ${scope} ${JSON.stringify(name)} is not paused`;
    const paused = rows.map((row) => (row.scope === "all" ? "everything" : `${row.scope} ${row.name}`));
    const told = paused.length === 0 ? "Nothing is paused" : `Paused: ${paused.join(", ")}`;
    return new TaskonautError("pause_not_found", `${what}${suggest(name, names) || "."} ${told}.`, {
      details: { scope, name },
    });
  }
}

/** Throws input_invalid. */
function keyOf(target: PauseTarget): { readonly scope: PauseScope; readonly name: string } {
  if (target.scope === "all") return { scope: "all", name: "" };
  const { scope, name } = target;
  if (!isName(name)) throw invalid("name", tellWrongName(scope, name));
  return { scope, name };
}

function checkText(path: string, text: string | undefined, most: number): void {
  if (text === undefined || (text.length >= 1 && text.length <= most)) return;
  throw invalid(path, `expected 1 to ${most} characters, received ${text.length}`);
}

function invalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `${path}: ${message}.`, { errors: [{ path, message }] });
}
