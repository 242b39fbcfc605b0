// The sockets of a client, in our own hands: postgres.js only ends a connection politely, and a peer that is gone
// without a word never answers, so that the socket (and with it the process) would stay.

import { connect, type Socket } from "node:net";

import type { ServerAddress } from "./server-url.ts";
import { secure } from "./tls.ts";
import type { Tls } from "./tls-settings.ts";

/** What postgres.js hands to its option `socket`. */
interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a Unix socket; then host and port do not count. */
  readonly path: string | false;
}

export class Sockets {
  readonly #open = new Set<Socket>();
  #destroyed = false;
  /** Which address is tried first the next time: the one after the last that answered (`target_session_attrs`). */
  #next = 0;

  /** `addresses`: in the order of their preference; empty: the one that postgres.js has made out. */
  constructor(
    private readonly addresses: readonly ServerAddress[],
    private readonly tls?: Tls,
  ) {}

  /** Connects to the first that answers. Rejects with the last one's error. */
  async connect({ host: [host = ""], port: [port = 5432], path }: Target): Promise<Socket> {
    if (path) return this.#connect({ path });
    const addresses = this.addresses.length > 0 ? this.addresses : [{ host, port }];
    let failure: unknown;
    for (let tries = 0; tries < addresses.length; tries++) {
      const address = addresses[this.#next++ % addresses.length];
      if (!address) break;
      try {
        const socket = await this.#connect({ host: address.place ?? address.host, port: address.port });
        return this.tls ? await this.#secure(socket, this.tls, address.host) : socket;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  get localPorts(): readonly number[] {
    return [...this.#open].flatMap((socket) => socket.localPort ?? []);
  }

  /** Cuts every connection at once, and lets no new one come up. */
  destroy(): void {
    this.#destroyed = true;
    for (const socket of this.#open) socket.destroy();
  }

  async #secure(socket: Socket, tls: Tls, host: string): Promise<Socket> {
    try {
      const secured = await secure(socket, tls, host);
      this.#hold(secured);
      return secured;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  #hold(socket: Socket): void {
    if (this.#destroyed) socket.destroy();
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }

  #connect(to: { readonly path: string } | ServerAddress): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (this.#destroyed) return reject(closedError());
      // A statement is sent at once, although the answer to the one before it is still out.
      const socket = connect({ ...to, noDelay: true });
      this.#hold(socket);
      socket.once("close", () => reject(closedError()));
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
    });
  }
}

function closedError(): Error {
  return Object.assign(new Error("The connection was closed."), { code: "CONNECTION_CLOSED" });
}
