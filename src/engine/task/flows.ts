// The flows that are loaded in this process, by name.

import type { FlowDescription } from "../../core/api/taskonaut.ts";
import { TaskonautError } from "../../core/errors.ts";
import { isReserved } from "../../core/flow/names.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { setBound } from "../../core/flow/flow-bound.ts";
import type { Limits, Retention } from "../../core/limits.ts";
import { suggest } from "../../core/nearest.ts";
import type { TaskRow } from "../../core/record/record.ts";
import { boundOf } from "../process/flow-bound.ts";
import { jsonSchemaOf } from "./json-schema-of.ts";

/** The code of flows that come with the program. */
const BUILT_IN = "built-in";

/** A flow of the engine itself. Most commands do not need it, so it is created on demand. */
export interface OwnFlow {
  readonly name: string;
  make(): Flow;
}

export class Flows {
  readonly #byName: ReadonlyMap<string, Flow>;
  readonly #limits: Pick<Limits, "flowStuckMs" | "retention">;
  readonly #own: OwnFlow | undefined;
  #madeOwn: Flow | undefined;

  /** From here on, the computing time of users' flows is bounded. */
  constructor(flows: readonly Flow[], limits: Pick<Limits, "flowStuckMs" | "retention">, own?: OwnFlow) {
    this.#limits = limits;
    this.#own = own;
    if (flows.some(({ file }) => file !== undefined)) setBound(boundOf(limits.flowStuckMs));
    this.#byName = new Map(flows.map((flow) => [flow.name, flow]));
  }

  /** Sorted by name. */
  all(): readonly Flow[] {
    return this.names.map((name) => this.get(name)).filter((flow) => flow !== undefined);
  }

  get names(): readonly string[] {
    const own = this.#own ? [this.#own.name] : [];
    return [...this.#byName.keys(), ...own].toSorted();
  }

  /** Undefined: the flow is not loaded here. */
  get(name: string): Flow | undefined {
    if (name === this.#own?.name) return (this.#madeOwn ??= this.#own.make());
    return this.#byName.get(name);
  }

  /** The flows of which anybody may create tasks. */
  get #open(): readonly Flow[] {
    return [...this.#byName.values()]
      .filter(({ name }) => !isReserved(name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws flow_not_found. */
  find(name: string): Flow {
    const flow = this.#byName.get(name);
    if (flow && !isReserved(name)) return flow;
    const names = this.#open.map((known) => known.name);
    const hint = suggest(name, names) || ".";
    const message = `Flow ${JSON.stringify(name)} not found${hint} Known flows: ${names.join(", ")}.`;
    throw new TaskonautError("flow_not_found", message, { details: { flow: name } });
  }

  /** Throws flow_not_loaded. */
  ofTask({ id, flow_name: name, flow_file: file }: Pick<TaskRow, "id" | "flow_name" | "flow_file">): Flow {
    const flow = this.get(name);
    if (flow) return flow;
    throw new TaskonautError(
      "flow_not_loaded",
      `Task ${id} runs flow ${name}, which is not loaded here. Load its file, or use the process that has it.`,
      { details: { id, flow: name, ...(file !== null && { file }) } },
    );
  }

  /** The code of the flow, which changes with its file. The record of a parked task names it. */
  codeOf(name: string): string {
    return this.get(name)?.code ?? BUILT_IN;
  }

  /** The code of each flow from a file, sorted by name. The engine's own flow has none. */
  get codes(): Readonly<Record<string, string>> {
    const named = [...this.#byName].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(named.flatMap(([name, { code }]) => (code === undefined ? [] : [[name, code]])));
  }

  /** Sorted by name. */
  describeAll(): Promise<readonly FlowDescription[]> {
    return Promise.all(this.#open.map((flow) => describeFlow(flow, this.#limits.retention)));
  }

  /** Throws flow_not_found. */
  async describe(name: string): Promise<FlowDescription> {
    return describeFlow(this.find(name), this.#limits.retention);
  }
}

/** The public facts about a flow. */
async function describeFlow(flow: Flow, defaults: Retention): Promise<FlowDescription> {
  const signals = [...flow.signals].map(async ([name, schema]) => [name, await jsonSchemaOf(schema)] as const);
  return {
    name: flow.name,
    description: flow.description,
    form: flow.body.form,
    file: flow.file ?? null,
    concurrency: flow.limits?.running ?? null,
    retention_ms: { ...defaults, ...flow.retention },
    schedules: flow.schedules.map(({ name, terms: { cron, every_ms, time_zone } }) => {
      return { name, owner: "flow", cron, every_ms, time_zone, next_at: null, paused_at: null } as const;
    }),
    pauses: [],
    input_schema: await jsonSchemaOf(flow.input),
    signals: Object.fromEntries(await Promise.all(signals)),
  };
}
