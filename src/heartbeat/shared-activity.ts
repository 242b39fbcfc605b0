// What the main thread is doing, in shared memory, so that the heartbeat's thread can read it.
//
// HA1. Every begin and end raises a count. So the same count at two checks means the same piece.

import type { Activity, Doing } from "../core/flow/activity.ts";

/** The activities. Their places are the numbers in memory. */
const DOINGS: readonly (Doing | undefined)[] = [undefined, "flow", "tool"];

/** The length of a UUID as text. */
const ID_LENGTH = 36;
const NUMBERS = 4;

export type ActivityMemory = SharedArrayBuffer;

export interface Seen {
  readonly count: number;
  readonly doing: Doing | undefined;
  readonly taskId: string;
  readonly stepId: string;
  /** Whether the main thread has received a signal that asks it to leave. */
  readonly isLeaving: boolean;
  /** Whether the main thread listens to signals. */
  readonly isListening: boolean;
}

export class SharedActivity implements Activity {
  readonly memory: ActivityMemory = new SharedArrayBuffer(NUMBERS * Int32Array.BYTES_PER_ELEMENT + 2 * ID_LENGTH);
  readonly #numbers = new Int32Array(this.memory, 0, NUMBERS);
  readonly #ids = new Uint8Array(this.memory, NUMBERS * Int32Array.BYTES_PER_ELEMENT);

  begin(doing: Doing, taskId: string, stepId = ""): void {
    this.#write(0, taskId);
    this.#write(ID_LENGTH, stepId);
    this.#become(DOINGS.indexOf(doing));
  }

  end(): void {
    this.#become(0);
  }

  hearSignal(): void {
    Atomics.store(this.#numbers, 2, 1);
  }

  listen(isListening: boolean): void {
    Atomics.store(this.#numbers, 3, isListening ? 1 : 0);
  }

  #become(doing: number): void {
    Atomics.store(this.#numbers, 1, doing);
    Atomics.add(this.#numbers, 0, 1); // HA1
  }

  #write(at: number, id: string): void {
    for (let place = 0; place < ID_LENGTH; place++)
      this.#ids[at + place] = place < id.length ? id.charCodeAt(place) : 0;
  }
}

/** For the heartbeat's thread. */
export function readActivity(memory: ActivityMemory): Seen {
  const numbers = new Int32Array(memory, 0, NUMBERS);
  const ids = new Uint8Array(memory, NUMBERS * Int32Array.BYTES_PER_ELEMENT);
  const idAt = (at: number): string =>
    String.fromCharCode(...ids.slice(at, at + ID_LENGTH).filter((code) => code !== 0));
  return {
    count: Atomics.load(numbers, 0),
    doing: DOINGS[Atomics.load(numbers, 1)],
    taskId: idAt(0),
    stepId: idAt(ID_LENGTH),
    isLeaving: Atomics.load(numbers, 2) === 1,
    isListening: Atomics.load(numbers, 3) === 1,
  };
}
