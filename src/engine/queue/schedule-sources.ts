// Adds and removes rows for the schedules of flow files. During a deployment or a rollback, workers may have several
// versions of a file:
//
// SV1. Only one version of the code decides about a flow's schedules at a time (`schedule_sources`).
// SV2. Code that has not decided before is newer, and takes over. So each version takes over once, and none goes back
//      and forth.
// SV3. Code that has decided before and was replaced waits. It takes over again only if no worker confirms the other
//      code any more: then the deployment was rolled back.
// SV4. Only schedules of this flow's files are changed. If another schedule has the name, it keeps it, and that is
//      logged.

import { readNames } from "../../core/record/names.ts";
import { declaredRows } from "./schedule-rows.ts";
import type { Judged } from "../../core/record/judged.ts";
import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Log } from "../../core/log.ts";
import type { ScheduleRow, ScheduleSourceRow } from "../../core/record/schedule.ts";
import type { Store } from "../../store/store.ts";
import type { StoreClock } from "../process/store-clock.ts";
import { SOURCE_STALE_MS } from "../driving/schedules.ts";
import type { Flows } from "../task/flows.ts";

/** How many versions of the code are remembered for each flow. */
const SEEN_MAX = 50;

/** The number of tries if others write at the same time. */
const TRIES_MAX = 5;

export interface SourceTools {
  readonly store: Pick<Store, "schedules">;
  readonly flows: Flows;
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly log: Log;
}

export class ScheduleSources {
  #hasSay = false;
  /** The conflicts that were logged before. */
  readonly #told = new Set<string>();

  constructor(
    private readonly tools: SourceTools,
    /** There may be new schedules. */
    private readonly onNews: () => void,
  ) {}

  /** Runs now and then. A worker whose flows declare no schedules, and never did, has nothing to confirm. */
  async confirm(): Promise<void> {
    if (this.#hasSay) await this.declareAll();
  }

  /** Throws what the store throws. */
  async declareAll(): Promise<void> {
    const { store, flows, storeClock } = this.tools;
    const sources = new Map((await store.schedules.listSources()).map((source) => [source.flow_name, source]));
    const wanted = flows.all().filter(({ name, schedules }) => schedules.length > 0 || sources.has(name));
    this.#hasSay = wanted.length > 0;
    if (!this.#hasSay) return;
    const now = await storeClock.recent();
    // a schedule that has moved to another flow is free after the first flow has released it
    let hasChanged = false;
    for (const isLast of [false, true]) {
      for (const flow of wanted) {
        if (!(await this.#declare(flow, sources.get(flow.name), { now, isLast }))) continue;
        hasChanged = true;
        for (const source of await store.schedules.listSources()) sources.set(source.flow_name, source);
      }
    }
    await store.schedules.confirm(wanted.map(({ name }) => ({ name, code: flows.codeOf(name) })));
    if (hasChanged) this.onNews();
  }

  /** Returns whether anything was written. */
  async #declare(
    flow: Flow,
    known: Judged<ScheduleSourceRow> | undefined,
    { now, isLast }: { readonly now: number; readonly isLast: boolean },
  ): Promise<boolean> {
    const { store, flows, log } = this.tools;
    const code = flows.codeOf(flow.name);
    if (known?.damage !== undefined) {
      this.#tellOnce("a row of the table schedule_sources is damaged", { flow: flow.name, damage: known.damage });
    }
    let source: ScheduleSourceRow | undefined = known;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const seen = source === undefined ? [] : readNames(source.seen);
      const isOurs = source?.code === code;
      if (source !== undefined && !isOurs && seen.includes(code) && now - source.confirmed_at < SOURCE_STALE_MS) {
        this.#tellOnce("schedules of a flow are those of other code, which is at work too", { flow: flow.name });
        return false;
      }
      const { rows, taken } = await declaredRows(flow, now, (name) => store.schedules.read(name));
      if (isLast) this.#tellTaken(flow, taken);
      if (isOurs && rows.length === 0) return false;
      const next: ScheduleSourceRow = {
        flow_name: flow.name,
        code,
        seen: JSON.stringify([...seen.filter((each) => each !== code), code].slice(-SEEN_MAX)),
        version: (source?.version ?? 0) + 1,
        confirmed_at: now,
      };
      const names = flow.schedules.map(({ name }) => name);
      if (await store.schedules.declare({ source: next, rows, names })) {
        log.info?.("schedules of a flow declared", { flow: flow.name, schedules: names.length, changed: rows.length });
        return true;
      }
      source = (await store.schedules.listSources()).find(({ flow_name }) => flow_name === flow.name);
    }
    return false;
  }

  #tellTaken(flow: Flow, taken: readonly ScheduleRow[]): void {
    for (const { name: schedule, flow_name, owner } of taken) {
      this.#tellOnce("a schedule's name is taken by another schedule, which stays", {
        schedule,
        flow: flow.name,
        taken_by: owner === "flow" ? `the file of flow ${flow_name}` : `a command, for flow ${flow_name}`,
      });
    }
  }

  #tellOnce(message: string, of: Readonly<Record<string, string>>): void {
    const key = JSON.stringify([message, of]);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.tools.log.warn?.(message, of);
  }
}
