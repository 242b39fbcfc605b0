import { connect, type Socket } from "node:net";

/** A connection as bytes: what was written goes out as it is, what came is a string. */
export class Wire {
  received = "";
  readonly closed: Promise<void>;
  private readonly waiters = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      for (const wake of this.waiters) wake();
    });
  }

  static async open(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => socket.once("connect", resolve));
    return new Wire(socket);
  }

  /** Resolves once `pattern` has come; rejects when the connection closes without it. */
  async until(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(this.received)) return;
        this.waiters.delete(look);
        resolve();
      };
      this.waiters.add(look);
      this.closed.then(() => reject(new Error(`closed without ${pattern}: ${this.received.slice(0, 200)}`)), reject);
      look();
    });
  }
}
