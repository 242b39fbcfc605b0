// The steps of one task that run in this process: tools, and children that are created or run here.

interface RunningStep {
  readonly abort: (reason: unknown) => void;
  readonly ended: Promise<void>;
}

export class RunningSteps {
  readonly #steps = new Map<string, RunningStep>();

  get size(): number {
    return this.#steps.size;
  }

  has(id: string): boolean {
    return this.#steps.has(id);
  }

  add(id: string, abort: (reason: unknown) => void, ended: Promise<void>): void {
    this.#steps.set(id, { abort, ended });
  }

  delete(id: string): void {
    this.#steps.delete(id);
  }

  abort(id: string, reason: unknown): void {
    this.#steps.get(id)?.abort(reason);
  }

  abortAll(reason: unknown): void {
    for (const { abort } of this.#steps.values()) abort(reason);
  }

  /** Resolves when those that run now have ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#steps.values()].map((step) => step.ended));
  }
}
