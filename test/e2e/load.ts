// Clients of a server that create tasks and run them, one request after the other, until they are told to stop.

import type { Task } from "../../src/core/api/task.ts";

export interface Answer {
  /** 0: none came, the connection broke. */
  readonly status: number;
  /** Of a problem. */
  readonly code: string | undefined;
  readonly retryAfter: string | null;
  readonly ms: number;
}

interface LoadOptions {
  readonly clients: number;
  /** A request that takes longer counts as one that hangs: it makes `stop` and `until` throw. */
  readonly answerMsMax: number;
}

/** What nobody asks for any more ends the load: a bound for a test that went wrong. */
const REQUESTS_MAX = 20_000;

/** After a request that was not answered as it should be: so hard the server is asked while it can do nothing. */
const PAUSE_MS = 10;

export class Load {
  readonly answers: Answer[] = [];
  /** Ids of the tasks that were answered with 201. */
  readonly acknowledged: string[] = [];
  readonly #clients: Promise<unknown>;
  #stopped = false;
  #more = Promise.withResolvers<void>();

  constructor(
    private readonly url: string,
    private readonly options: LoadOptions,
  ) {
    this.#clients = Promise.all(Array.from({ length: options.clients }, () => this.#work()));
    this.#clients.catch(() => {}); // told by `until` and `stop`
  }

  /** Waits until so many answers have come, from now on, for which `wanted` holds. */
  async until(count: number, wanted: (answer: Answer) => boolean): Promise<void> {
    const from = this.answers.length;
    const ended = this.#clients.then(() => {
      throw new Error(`The load ended before it came. The last answer: ${JSON.stringify(this.answers.at(-1))}`);
    });
    ended.catch(() => {}); // it ends later, as it should
    while (this.answers.slice(from).filter(wanted).length < count) await Promise.race([this.#more.promise, ended]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#clients;
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.answers.length < REQUESTS_MAX) {
      const task = await this.#post("/tasks", { body: "{}", headers: { "Content-Type": "application/json" } });
      if (!task) {
        await Bun.sleep(PAUSE_MS);
        continue;
      }
      this.acknowledged.push(task.id);
      await this.#post(`/tasks/${task.id}/run`);
    }
  }

  async #post(path: string, init: RequestInit = {}): Promise<Task | undefined> {
    const started = performance.now();
    const signal = AbortSignal.timeout(this.options.answerMsMax);
    let answer = { status: 0, code: undefined as string | undefined, retryAfter: null as string | null };
    let task: Task | undefined;
    try {
      const response = await fetch(this.url + path, { ...init, method: "POST", signal });
      const body = (await response.json()) as Task & { code: string };
      answer = { status: response.status, code: body.code, retryAfter: response.headers.get("retry-after") };
      if (response.ok) task = body;
    } catch (error) {
      if (signal.aborted) throw error;
    }
    this.answers.push({ ...answer, ms: performance.now() - started });
    this.#more.resolve();
    this.#more = Promise.withResolvers();
    return task;
  }
}
