// Runs jobs one after the other. However many wait, they take only one place.

export class Quarantine {
  #size = 0;
  #last: Promise<void> = Promise.resolve();
  #freePlace: () => void = () => {};

  /** `takePlace` returns a function that frees the place. */
  constructor(private readonly takePlace: () => () => void) {}

  /** Resolves when the job is done. Jobs never reject. */
  run(job: () => Promise<void>): Promise<void> {
    if (this.#size === 0) this.#freePlace = this.takePlace();
    this.#size += 1;
    this.#last = this.#runAfter(this.#last, job);
    return this.#last;
  }

  async #runAfter(before: Promise<void>, job: () => Promise<void>): Promise<void> {
    await before;
    await job();
    this.#size -= 1;
    if (this.#size === 0) this.#freePlace();
  }
}
