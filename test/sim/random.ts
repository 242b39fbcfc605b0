/** Everything that a simulation leaves to chance, drawn from one seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 or more, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer; both ends are among them. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Mostly near `min`, now and then far away: how long a network takes. */
  tail(min: number, max: number): number {
    return min + Math.floor((max - min) * this.next() ** 6);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.int(0, items.length - 1)];
    if (item === undefined) throw new Error("There is nothing to pick from.");
    return item;
  }

  /** In the form of a UUID, version 7. */
  uuid(): string {
    const hex = [8, 4, 3, 3, 12].map((length) => Array.from({ length }, () => this.int(0, 15).toString(16)).join(""));
    return `${hex[0]}-${hex[1]}-7${hex[2]}-8${hex[3]}-${hex[4]}`;
  }
}
