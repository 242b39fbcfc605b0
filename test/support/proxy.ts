// A way to a server that can turn into one that leads nowhere: bytes vanish, connections stay open. Or one that, like
// PgBouncer, knows few parameters of a connection's start.

import { openRelay, type Relay } from "./relay.ts";

export interface Proxy extends Relay {
  /** From now on nothing passes, on old and new connections. */
  swallow(): void;
  /** From now on no connection stands, and none comes up: as while the proxy restarts. */
  cut(): void;
  /** New connections pass again. */
  pass(): void;
}

export interface ProxyOptions {
  /** A connection that starts with this parameter is refused. */
  readonly unknownParameter?: string;
}

export async function startProxy(serverUrl: string, { unknownParameter }: ProxyOptions = {}): Promise<Proxy> {
  let swallowing = false;
  let isDown = false;
  const relay = await openRelay(serverUrl, (client, reach) => {
    if (isDown) {
      client.destroy();
      return;
    }
    if (swallowing) {
      client.resume();
      return;
    }
    const server = reach();
    client.once("data", (start: Buffer) => {
      if (unknownParameter === undefined || !start.includes(`${unknownParameter}\0`)) {
        server.write(start);
        client.pipe(server).pipe(client);
        return;
      }
      server.destroy();
      client.end(refusal("08P01", `unsupported startup parameter: ${unknownParameter}`));
    });
  });
  return {
    url: relay.url,
    swallow() {
      swallowing = true;
      for (const socket of relay.sockets) socket.unpipe().resume();
    },
    cut() {
      isDown = true;
      for (const socket of relay.sockets) socket.destroy();
    },
    pass() {
      swallowing = isDown = false;
    },
    [Symbol.dispose]: () => relay[Symbol.dispose](),
  };
}

/** An ErrorResponse of the protocol, as PgBouncer sends it: not `FATAL`, although it ends the connection. */
function refusal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SERROR\0VERROR\0C${code}\0M${message}\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
