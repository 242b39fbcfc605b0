// A way to a PostgreSQL server that knows what is asked on it: the text of every statement that passes.

import { openJoiningRelay, type Relay } from "../support/relay.ts";

export interface QueryRelay extends Relay {
  /** In the order in which they were sent. */
  readonly queries: readonly string[];
}

export async function openQueryRelay(serverUrl: string): Promise<QueryRelay> {
  const queries: string[] = [];
  const relay = await openJoiningRelay(serverUrl, (client, server) => {
    const session = new Session((text) => queries.push(text));
    client.on("data", (bytes: Buffer) => session.read(bytes));
    client.pipe(server).pipe(client);
  });
  return { url: relay.url, queries, [Symbol.dispose]: () => relay[Symbol.dispose]() };
}

/** What one client says, by the protocol: a start without a type, then messages of type, length and body. */
class Session {
  #unread = Buffer.alloc(0);
  #isStarted = false;
  readonly #prepared = new Map<string, string>();

  constructor(private readonly onQuery: (text: string) => void) {}

  read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const head = this.#isStarted ? 1 : 0;
      if (this.#unread.length < head + 4) return;
      const length = head + this.#unread.readInt32BE(head);
      if (this.#unread.length < length) return;
      if (this.#isStarted) this.#note(String.fromCharCode(this.#unread[0] ?? 0), this.#unread.subarray(5, length));
      this.#isStarted = true;
      this.#unread = this.#unread.subarray(length);
    }
  }

  #note(type: string, body: Buffer): void {
    const [first = "", second = ""] = body.toString("latin1").split("\0");
    if (type === "Q") this.onQuery(first);
    // name and text of a statement; portal and name of one that is carried out
    if (type === "P") this.#prepared.set(first, second);
    if (type === "B") this.onQuery(this.#prepared.get(second) ?? second);
  }
}
