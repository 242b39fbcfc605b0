// Tells workers that a task may be due: the worker of this process at once, others through the store, only now and
// then, however many tasks there are. Always after a commit, never within one.

import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { Store } from "../../store/store.ts";
import { Pause } from "./pause.ts";

/** The shortest time between two announcements. */
const PAUSE_MS = 20;

/** Returns whether the listener takes the task itself, so that nobody else need hear of it. */
type Listener = () => boolean;

export class QueueNotifier {
  #listener: Listener | undefined;
  #isWanted = false;
  #announcing: Promise<void> | undefined;
  readonly #pause: Pause;
  /** How many callers wait for its end: meanwhile there is no pause. */
  #settling = 0;

  constructor(
    private readonly store: Pick<Store, "announce">,
    clock: Clock,
    private readonly log: Log,
  ) {
    this.#pause = new Pause(clock);
  }

  /** The worker of this process; undefined when it leaves. */
  listen(listener: Listener | undefined): void {
    this.#listener = listener;
  }

  /** A task may be due. */
  tellWorkers(): void {
    if (!this.#listener?.()) this.tellOthers();
  }

  /** This process's worker was told of more than it has room for. */
  tellOthers(): void {
    this.#isWanted = true;
    this.#announcing ??= this.#announce();
  }

  /** Resolves when everything was announced. The rest is announced at once: nobody waits for a pause to pass. */
  async settle(): Promise<void> {
    this.#settling += 1;
    this.#pause.cut();
    await this.#announcing;
    this.#settling -= 1;
  }

  async #announce(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      this.#pause.arm();
      try {
        await this.store.announce();
      } catch (error) {
        // they look for themselves now and then
        this.log.debug?.("workers not told of a task", { error: messageOf(error) });
      }
      if (this.#isWanted && this.#settling === 0) await this.#pause.take(PAUSE_MS);
    }
    this.#announcing = undefined;
  }
}
