// Finds unknown names in a filter. A flow is known if it is loaded here or by a worker, if it has a task, or if there is a
// schedule for it. (That a token is for a flow says nothing: who makes a token may mistype it.) A schedule is known if it
// is stored, in a loaded file, or has made a task.
// Whoever may see certain flows only may ask for each of them, also before it exists, and is not told of others.

import { TaskonautError } from "../../core/errors.ts";
import { isReserved } from "../../core/flow/names.ts";
import { readNames } from "../../core/record/names.ts";
import { suggest } from "../../core/nearest.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import type { Store } from "../../store/store.ts";
import type { Flows } from "../task/flows.ts";
import { toRowFilter } from "./row-filter.ts";

interface Parts {
  readonly store: Pick<Store, "counts" | "listWorkers" | "searchTasks"> & {
    readonly schedules: Pick<Store["schedules"], "list" | "read">;
  };
  readonly flows: Pick<Flows, "all" | "names">;
}

/** Of those that are told to who has mistyped one. */
const TOLD_MAX = 20;

/** Of one look for the schedules that there are. */
const SCHEDULES_MAX = 1000;

export class KnownNames {
  /** Found before: they are not looked for again. */
  readonly #flows = new Set<string>();
  readonly #schedules = new Set<string>();
  /** Flows of those who may see certain flows only. */
  readonly #admitted = new Set<string>();

  constructor(private readonly parts: Parts) {}

  /** Throws input_invalid with the names that there are. Costs nothing where all were known before. */
  async check({ flow: flows = [], schedule }: Pick<TaskFilter, "flow" | "schedule">): Promise<void> {
    const { names } = this.parts.flows;
    const odd = flows.filter((name) => !this.#flows.has(name) && !names.includes(name) && !this.#admitted.has(name));
    if (odd.length > 0) await this.#checkFlows(odd);
    if (schedule !== undefined && !this.#schedules.has(schedule)) await this.#checkSchedule(schedule);
  }

  /** Somebody is here who may see only these. */
  admit(flows: readonly string[]): void {
    for (const name of flows) this.#admitted.add(name);
  }

  /** Of each unknown flow, what there is in its place. */
  async tellUnknownFlows(names: readonly string[]): Promise<readonly string[]> {
    const own = this.parts.flows.names;
    const odd = names.filter((name) => !this.#flows.has(name) && !own.includes(name));
    if (odd.length === 0) return [];
    const known = await this.#knownFlows(odd);
    return odd.filter((name) => !known.has(name)).map((name) => tellUnknown("flow", name, [...known, ...own]));
  }

  async #checkFlows(names: readonly string[]): Promise<void> {
    const known = await this.#knownFlows(names);
    const odd = names.find((name) => !known.has(name));
    if (odd !== undefined) throw unknown("flow", odd, [...known, ...this.parts.flows.names]);
    for (const name of names) this.#flows.add(name);
  }

  /** All that are known, or enough of them to know these. */
  async #knownFlows(names: readonly string[]): Promise<ReadonlySet<string>> {
    const { store } = this.parts;
    const known = new Set((await store.counts.read()).map(({ flow_name }) => flow_name));
    if (names.every((name) => known.has(name))) return known;
    for (const { flow_name } of await store.schedules.list({ limit: SCHEDULES_MAX })) known.add(flow_name);
    for (const { flows } of await store.listWorkers()) for (const name of readNames(flows)) known.add(name);
    return known;
  }

  async #checkSchedule(name: string): Promise<void> {
    const { store, flows } = this.parts;
    const own = flows.all().flatMap(({ schedules }) => schedules.map((each) => each.name));
    if (!own.includes(name) && !(await store.schedules.read(name)) && !(await this.#hasTask(name))) {
      const stored = await store.schedules.list({ limit: SCHEDULES_MAX });
      throw unknown("schedule", name, [...own, ...stored.map((each) => each.name)]);
    }
    this.#schedules.add(name);
  }

  /** Of a schedule that is not there any more. */
  async #hasTask(schedule: string): Promise<boolean> {
    const { rows } = await this.parts.store.searchTasks({ filter: toRowFilter({ schedule }, { now: 0 }), limit: 1 });
    return rows.length > 0;
  }
}

function unknown(kind: "flow" | "schedule", name: string, known: readonly string[]): TaskonautError {
  const message = tellUnknown(kind, name, known);
  return new TaskonautError("input_invalid", `The filter is wrong: ${kind}: ${message.replace(/[^?]$/, "$&.")}`, {
    errors: [{ path: kind, message }],
  });
}

function tellUnknown(kind: "flow" | "schedule", name: string, known: readonly string[]): string {
  const names = [...new Set(known)].filter((each) => !isReserved(each)).toSorted();
  const more = names.length > TOLD_MAX ? `, and ${names.length - TOLD_MAX} more` : "";
  const list = names.length === 0 ? "there is none" : `known: ${names.slice(0, TOLD_MAX).join(", ")}${more}`;
  return `unknown ${kind} ${JSON.stringify(name)}; ${list}${suggest(name, names)}`;
}
