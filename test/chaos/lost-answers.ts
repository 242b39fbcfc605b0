// A way to a PostgreSQL server on which answers get lost: the server has carried a write out and says so, but the
// connection breaks before its client hears of it.

import type { Random } from "../sim/random.ts";
import { openJoiningRelay, type Relay } from "../support/relay.ts";

export interface LosingRelay extends Relay {
  /** How many answers to writes were lost so far. */
  readonly lost: number;
  /** From now on every answer arrives. */
  heal(): void;
}

/** What a write of tasks says when it is prepared: connections that have said it are those whose answers get lost. */
const WRITES = 'update "taskonaut".tasks';

/** `chance`: of each answer on a connection that writes. */
export async function openLosingRelay(
  serverUrl: string,
  { random, chance }: { readonly random: Random; readonly chance: number },
): Promise<LosingRelay> {
  let lost = 0;
  let isWell = false;
  const relay = await openJoiningRelay(serverUrl, (client, server) => {
    let isWriter = false;
    let isToBeLost = false;
    client.on("data", (request: Buffer) => {
      isWriter ||= request.includes(WRITES);
      isToBeLost = isWriter && !isWell && random.chance(chance);
      server.write(request);
    });
    server.on("data", (answer: Buffer) => {
      if (!isToBeLost) {
        client.write(answer);
        return;
      }
      lost += 1;
      client.destroy();
    });
  });
  return {
    url: relay.url,
    get lost() {
      return lost;
    },
    heal() {
      isWell = true;
    },
    [Symbol.dispose]: () => relay[Symbol.dispose](),
  };
}
