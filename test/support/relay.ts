// A way to a PostgreSQL server on which a test may stand: it sees what passes, and decides what does.

import { connect, createServer, type Socket } from "node:net";

export interface Relay extends Disposable {
  /** The server's URL, by way of the relay. */
  readonly url: string;
}

interface OpenRelay extends Relay {
  /** The connections that stand, on both sides. */
  readonly sockets: ReadonlySet<Socket>;
}

/** `onClient`: what becomes of a client that has come; `reach` connects to the server for it. */
export async function openRelay(
  serverUrl: string,
  onClient: (client: Socket, reach: () => Socket) => void,
): Promise<OpenRelay> {
  const url = new URL(serverUrl);
  const target = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("error", () => {}); // it is closed then, which is all that counts here
    return socket.on("close", () => sockets.delete(socket));
  };
  const listener = createServer((client) => onClient(keep(client), () => keep(connect(target))));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The relay has no port.");
  url.hostname = "127.0.0.1";
  url.port = String(address.port);
  return {
    url: url.href,
    sockets,
    [Symbol.dispose]() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** `link` joins the two sides of each connection; where one of them ends, the other does. */
export function openJoiningRelay(serverUrl: string, link: (client: Socket, server: Socket) => void): Promise<Relay> {
  return openRelay(serverUrl, (client, reach) => {
    const server = reach();
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
    link(client, server);
  });
}
