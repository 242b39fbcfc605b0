// A client and the server that it speaks to, over a fake `Taskonaut`.

import { afterEach } from "bun:test";
import { createClient, type ClientOptions } from "../../src/client/client.ts";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { startServer } from "../../src/server/serve.ts";
import { FakeTaskonaut } from "./fake-taskonaut.ts";

interface Connected {
  readonly taskonaut: FakeTaskonaut;
  readonly url: string;
  readonly client: Taskonaut;
}

interface ConnectOptions {
  readonly token?: string;
  readonly client?: Partial<ClientOptions>;
}

interface ConnectingClients {
  readonly connect: (options?: ConnectOptions) => Promise<Connected>;
  /** Is called after the test. */
  readonly atEnd: (stop: () => Promise<void>) => void;
}

/** Servers stop after each test. */
export function connectingClients(): ConnectingClients {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  return {
    connect: async ({ token, client } = {}) => {
      const taskonaut = new FakeTaskonaut();
      const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false, token });
      stops.push(server.stop);
      return { taskonaut, url: server.url, client: createClient({ baseUrl: server.url, token, ...client }) };
    },
    atEnd: (stop) => stops.push(stop),
  };
}

export async function errorOf(promise: Promise<unknown>): Promise<TaskonautError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TaskonautError) return error;
  throw new Error(`expected a TaskonautError, got ${String(error)}`);
}
