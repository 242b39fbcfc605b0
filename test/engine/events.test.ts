// What happens to tasks, as those hear it who listen: in the process that does it, and in another one.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Listening, TaskEvent, Told } from "../../src/core/api/events.ts";
import { BULK_FLOW } from "../../src/core/api/bulk.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import type { EventPage } from "../../src/store/event-store.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { until } from "../support/until.ts";

const INPUT = { text: "hello", a: 2, b: 3 };

/** One who takes everything at once. */
class Ear {
  readonly told: Told[] = [];
  readonly #leave = new AbortController();
  readonly #over: Promise<void>;

  constructor(engine: Engine, listening: Listening = {}) {
    this.#over = this.#hear(engine, listening);
    this.#over.catch(() => {});
  }

  get events(): TaskEvent[] {
    return this.told.flatMap((each) => (each.kind === "event" ? each.event : []));
  }

  has(kind: Told["kind"]): boolean {
    return this.told.some((each) => each.kind === kind);
  }

  get lastId(): string {
    return this.told.at(-1)?.id ?? "";
  }

  async ready(): Promise<this> {
    await until(() => this.has("ready"), "ready");
    return this;
  }

  async end(): Promise<void> {
    this.#leave.abort();
    await this.#over;
  }

  async #hear(engine: Engine, listening: Listening): Promise<void> {
    for await (const batch of engine.events.listen({ ...listening, signal: this.#leave.signal }))
      this.told.push(...batch);
  }
}

describe.each(DATABASES)("%s", (_dialect, create) => {
  let database: EngineDatabase;
  const engines: Engine[] = [];

  beforeAll(async () => {
    database = await create();
  });
  afterAll(async () => {
    for (const engine of engines) await engine.close();
    await database.drop();
  });

  async function open(change: (store: Store) => Store = (store) => store): Promise<Engine> {
    const engine = engineOn(change(await database.openStore()));
    engines.push(engine);
    return engine;
  }

  test("who listens hears of a task from its creation to its end, in the order of its versions, here and elsewhere", async () => {
    const [here, there] = [await open(), await open()];
    const store = await database.openStore();
    const ears = [await new Ear(here).ready(), await new Ear(there).ready()];
    const { task } = await here.createTask({ flow: "echo_add", input: INPUT, tags: { customer: "c1" } });
    await here.runTask(task.id);
    const version = (await store.readTaskRow(task.id))?.version;
    await store.close();
    for (const ear of ears) {
      await until(() => ear.events.some(({ kind, task_id }) => kind === "ended" && task_id === task.id), "the end");
      const own = ear.events.filter(({ task_id }) => task_id === task.id);
      expect(own[0]).toMatchObject({ kind: "created", version: 1, status: "PLANNED", tags: { customer: "c1" } });
      expect(own.at(-1)).toMatchObject({ kind: "ended", version, status: "COMPLETED", flow_name: "echo_add" });
      const versions = own.map((event) => event.version);
      expect(versions).toEqual(versions.toSorted((one, other) => one - other));
      await ear.end();
    }
  });

  test("a list that is read once somebody listens, and the events from then on, leave no task out", async () => {
    const [maker, reader] = [await open(), await open()];
    const made: string[] = [];
    const stop = new AbortController();
    const making = (async () => {
      while (!stop.signal.aborted) made.push((await maker.createTask({ flow: "echo_add", input: INPUT })).task.id);
    })();
    await until(() => made.length > 5, "some tasks");
    const ear = await new Ear(reader).ready();
    const known = new Set<string>();
    for (let cursor: string | undefined; ;) {
      const page = await reader.listTasks({ limit: 1000, ...(cursor !== undefined && { cursor }) });
      for (const { id } of page.tasks) known.add(id);
      ({ next: cursor } = page);
      if (cursor === undefined) break;
    }
    const enough = made.length + 10;
    await until(() => made.length > enough, "more tasks");
    stop.abort();
    await making;
    const missing = (): string[] => {
      for (const { task_id } of ear.events) known.add(task_id);
      return made.filter((id) => !known.has(id));
    };
    // a change that began before anybody listened is told by a resync instead
    await until(() => missing().length === 0 || ear.has("resync"), "all tasks");
    await ear.end();
  });

  test("filters let through what they name", async () => {
    const engine = await open();
    const { task } = await engine.createTask({ flow: "echo_add", input: INPUT, priority: 3, tags: { customer: "c2" } });
    const all = await new Ear(engine).ready();
    const heard = await Promise.all(
      [
        { tasks: [task.id] },
        { kinds: ["ended" as const] },
        { filter: { status: ["COMPLETED" as const], tags: { customer: "c2" }, priority: 3 } },
      ].map((listening) => new Ear(engine, listening).ready()),
    );
    const nothing = await new Ear(engine, { filter: { flow: [BULK_FLOW] } }).ready();
    const other = await engine.createTask({ flow: "echo_add", input: INPUT });
    await engine.runTask(other.task.id);
    await engine.runTask(task.id);
    await until(() => all.events.some(({ kind, task_id }) => kind === "ended" && task_id === task.id), "the end");
    const [ofTask, ends, found] = heard.map((ear) => ear.events);
    expect(new Set(ofTask?.map(({ task_id }) => task_id))).toEqual(new Set([task.id]));
    expect(ends?.map(({ kind, task_id }) => [kind, task_id])).toEqual([
      ["ended", other.task.id],
      ["ended", task.id],
    ]);
    expect(found?.map(({ task_id }) => task_id)).toEqual([task.id]);
    expect(nothing.events).toEqual([]);
    await Promise.all([all, nothing, ...heard].map((ear) => ear.end()));
  });

  test("a filter that no event decides is refused", async () => {
    const engine = await open();
    const listening = engine.events.listen({ filter: { error: "timeout", waitingFor: ["signal:go"] } });
    await expect(listening[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "input_invalid",
      errors: [{ path: "waiting-for" }, { path: "error" }],
    });
  });

  test("who comes back is told what he has missed, also by another process; or that nobody knows it any more", async () => {
    const [here, there] = [await open(), await open()];
    const first = await new Ear(here).ready();
    const { task } = await here.createTask({ flow: "echo_add", input: INPUT });
    await until(() => first.events.some(({ task_id }) => task_id === task.id), "the creation");
    const after = first.lastId;
    await first.end();
    await here.runTask(task.id);
    for (const engine of [here, there]) {
      const back = await new Ear(engine, { after, tasks: [task.id] }).ready();
      await until(() => back.events.some(({ kind }) => kind === "ended"), "what was missed");
      expect(back.has("resync")).toBe(false);
      await back.end();
    }
    for (const unknown of ["nonsense", `${crypto.randomUUID()}.3`, after.replace(/\d+$/, "0")]) {
      const back = new Ear(here, { after: unknown });
      await until(() => back.has("resync"), "resync");
      expect(back.events).toEqual([]);
      await back.end();
    }
  });

  test("while nobody listens nothing is read, and while somebody does all share one reader", async () => {
    let reads = 0;
    const counted = (store: Store): Store => ({
      ...store,
      events: {
        listen: (ms) => store.events.listen(ms),
        openReader: () => {
          const reader = store.events.openReader();
          return {
            read: (): Promise<EventPage> => {
              reads += 1;
              return reader.read();
            },
          };
        },
      },
    });
    const engine = await open(counted);
    const { task } = await engine.createTask({ flow: "echo_add", input: INPUT });
    expect(reads).toBe(0);
    const ears = await Promise.all(Array.from({ length: 200 }, () => new Ear(engine).ready()));
    await engine.runTask(task.id);
    await until(() => ears.every((ear) => ear.events.some(({ kind }) => kind === "ended")), "all have heard");
    const looks = reads;
    expect(looks).toBeLessThan(100);
    await Promise.all(ears.map((ear) => ear.end()));
    const before = reads;
    await engine.createTask({ flow: "echo_add", input: INPUT });
    expect(reads).toBe(before);
  });

  test("an engine that closes ends what is told", async () => {
    const engine = await open();
    const ear = await new Ear(engine).ready();
    await engine.close();
    await ear.end();
  });
});
