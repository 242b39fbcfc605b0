// Sends requests over a fixed number of connections and prints what came back: a process of its own, so that the server's
// answers wait for nothing else. stdin: Load as JSON. stdout: LoadResult as JSON.

export interface Load {
  /** One POST of `{}` each, in this order. */
  readonly urls: readonly string[];
  /** How many are under way at any time. */
  readonly connections: number;
}

export interface LoadResult {
  readonly wallMs: number;
  /** One for each request: how long it took. */
  readonly latenciesMs: readonly number[];
}

const { urls, connections } = (await Bun.stdin.json()) as Load;
const latenciesMs: number[] = [];
const queue = urls.values();
const started = performance.now();
await Promise.all(Array.from({ length: connections }, sendUntilEmpty));
const result: LoadResult = { wallMs: performance.now() - started, latenciesMs };
process.stdout.write(JSON.stringify(result));

async function sendUntilEmpty(): Promise<void> {
  for (const url of queue) {
    const sent = performance.now();
    const answer = await fetch(url, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}.`);
    latenciesMs.push(performance.now() - sent);
  }
}
