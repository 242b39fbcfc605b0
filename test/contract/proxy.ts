// A way to a server that can turn into one that leads nowhere: bytes vanish, connections stay open. Or one that, like
// PgBouncer, knows few parameters of a connection's start.

import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string;
  /** From now on nothing passes, on old and new connections. */
  swallow(): void;
  /** From now on no connection stands, and none comes up: as while the proxy restarts. */
  cut(): void;
  /** New connections pass again. */
  pass(): void;
  stop(): void;
}

export interface ProxyOptions {
  /** A connection that starts with this parameter is refused. */
  readonly unknownParameter?: string;
}

export async function startProxy(serverUrl: string, { unknownParameter }: ProxyOptions = {}): Promise<Proxy> {
  const url = new URL(serverUrl);
  const target = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  let swallowing = false;
  let isDown = false;

  const server = createServer((incoming) => {
    sockets.add(incoming);
    incoming.on("error", () => {});
    if (isDown) {
      incoming.destroy();
      return;
    }
    if (swallowing) {
      incoming.resume();
      return;
    }
    const outgoing = connect(target);
    sockets.add(outgoing);
    outgoing.on("error", () => {});
    incoming.once("data", (start: Buffer) => {
      if (unknownParameter === undefined || !start.includes(`${unknownParameter}\0`)) {
        outgoing.write(start);
        incoming.pipe(outgoing).pipe(incoming);
        return;
      }
      outgoing.destroy();
      incoming.end(refusal("08P01", `unsupported startup parameter: ${unknownParameter}`));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listening = server.address();
  if (listening === null || typeof listening === "string") throw new Error("The proxy has no port.");
  url.hostname = "127.0.0.1";
  url.port = String(listening.port);

  return {
    url: url.href,
    swallow() {
      swallowing = true;
      for (const socket of sockets) socket.unpipe().resume();
    },
    cut() {
      isDown = true;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    pass() {
      swallowing = isDown = false;
    },
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** An ErrorResponse of the protocol, as PgBouncer sends it: not `FATAL`, although it ends the connection. */
function refusal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SERROR\0VERROR\0C${code}\0M${message}\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
