// A way to a PostgreSQL server on which a test may stand: it sees what passes, and decides what does.

import { connect, createServer, type Socket } from "node:net";

export interface Relay extends Disposable {
  /** The server's URL, by way of the relay. */
  readonly url: string;
}

/** `link` joins the two sides of each connection; where one of them ends, the other does. */
export async function openRelay(serverUrl: string, link: (client: Socket, server: Socket) => void): Promise<Relay> {
  const url = new URL(serverUrl);
  const target = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const server = connect(target);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {}); // it is closed then, which is all that counts here
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    link(client, server);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The relay has no port.");
  url.hostname = "127.0.0.1";
  url.port = String(address.port);
  return {
    url: url.href,
    [Symbol.dispose]() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
