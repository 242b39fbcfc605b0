// The sockets of a client, under our own control: postgres.js only ends a connection politely, and a peer that is gone
// without a word never answers, so that the socket (and with it the process) would stay.

import { connect, type Socket } from "node:net";

import type { Place, Route } from "./route.ts";
import { secure } from "./tls.ts";
import type { Tls } from "./tls-settings.ts";

/** What postgres.js passes to its option `socket`. */
export interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** The path of a Unix socket; then host and port do not count. */
  readonly path: string | false;
}

export class Sockets {
  /** With the place that each socket leads to. */
  readonly #open = new Map<Socket, Place | undefined>();
  #destroyed = false;
  /** A call has succeeded since the last connection opened. */
  #hasServed = true;

  constructor(
    private readonly route: Route,
    private readonly tls?: Tls,
  ) {}

  /** Connects to the first place that answers in its time. Rejects with the last one's error. */
  async connect({ host: [host = ""], port: [port = 5432], path }: Target): Promise<Socket> {
    if (path) return this.#connect({ path }, undefined);
    let failure: unknown;
    for (const place of await this.route.places({ host, port })) {
      try {
        return await this.#reach(place);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** A call was answered: the next connections may go to the same place. */
  noteServed(): void {
    if (this.#hasServed) return;
    this.#hasServed = true;
    for (const [socket, place] of this.#open) if (place && socket.bytesRead > 0) this.route.noteServed(place);
  }

  get localPorts(): readonly number[] {
    return [...this.#open.keys()].flatMap((socket) => socket.localPort ?? []);
  }

  /** Cuts every connection at once, and opens no new one. */
  destroy(): void {
    this.#destroyed = true;
    for (const socket of this.#open.keys()) socket.destroy();
  }

  async #reach(place: Place): Promise<Socket> {
    this.#hasServed = false;
    this.route.noteTried(place);
    const { host, address, port, timeMs } = place;
    const raw = await this.#connect({ host: address, port }, place);
    const socket = this.tls ? await this.#secure(raw, this.tls, { host, place }) : raw;
    // A place that accepts the connection and says nothing is given up: postgres.js then asks for the next one.
    if (timeMs !== undefined) {
      const timer = setTimeout(() => socket.destroy(), timeMs);
      for (const event of ["data", "close"]) socket.once(event, () => clearTimeout(timer));
    }
    return socket;
  }

  async #secure(socket: Socket, tls: Tls, { host, place }: { host: string; place: Place }): Promise<Socket> {
    const timer = setTimeout(() => socket.destroy(timedOut(place)), place.timeMs ?? NO_LIMIT_MS);
    try {
      const secured = await secure(socket, tls, host);
      this.#hold(secured, place);
      return secured;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #hold(socket: Socket, place: Place | undefined): void {
    if (this.#destroyed) socket.destroy();
    this.#open.set(socket, place);
    socket.once("close", () => this.#open.delete(socket));
  }

  #connect(
    to: { readonly path: string } | { readonly host: string; readonly port: number },
    place: Place | undefined,
  ): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (this.#destroyed) return reject(closedError());
      // A statement is sent at once, even before the answer to the last one.
      const socket = connect({ ...to, noDelay: true });
      this.#hold(socket, place);
      const timer = place && setTimeout(() => socket.destroy(timedOut(place)), place.timeMs ?? NO_LIMIT_MS);
      socket.once("close", () => {
        clearTimeout(timer);
        reject(closedError());
      });
      socket.once("error", reject);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", reject);
        resolve(socket);
      });
    });
  }
}

/** The call's own deadline comes long before. */
const NO_LIMIT_MS = 600_000;

function timedOut({ address, port, timeMs = 0 }: Place): Error {
  const message = `connect ETIMEDOUT ${address}:${port}, which did not answer within ${timeMs / 1000} s`;
  return Object.assign(new Error(message), { code: "ETIMEDOUT" });
}

function closedError(): Error {
  return Object.assign(new Error("The connection was closed."), { code: "CONNECTION_CLOSED" });
}
