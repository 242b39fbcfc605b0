// What the main thread is doing, in shared memory, so that the heartbeat's thread can read it.
//
// HA1. Every begin and end raises a count. So the same count at two checks means the same piece.

import type { Activity, Doing, DoneFor } from "../core/flow/activity.ts";
import type { Culprit } from "../store/blame.ts";

/** The activities. Their places are the numbers in memory. */
const DOINGS: readonly (Doing | undefined)[] = [undefined, "flow", "tool"];

/** For what it is done. The places are the numbers in memory. */
const KINDS = ["task", "schedule", "flow"] as const;

/** An id, or a name, which has at most 100 characters. */
const NAME_LENGTH = 100;
/** The id of a step, or the place of a flow. A longer place is left out. */
const DETAIL_LENGTH = 1024;
const NUMBERS = 7;
const TEXTS_AT = NUMBERS * Int32Array.BYTES_PER_ELEMENT;

export type ActivityMemory = SharedArrayBuffer;

export interface Seen {
  readonly count: number;
  readonly doing: Doing | undefined;
  /** For whom; of the last piece while there is none. */
  readonly culprit: Culprit;
  /** Whether the main thread has received a signal that asks it to leave. */
  readonly isLeaving: boolean;
  /** Whether the main thread listens to signals. */
  readonly isListening: boolean;
}

export class SharedActivity implements Activity {
  readonly memory: ActivityMemory = new SharedArrayBuffer(TEXTS_AT + NAME_LENGTH + DETAIL_LENGTH);
  readonly #numbers = new Int32Array(this.memory, 0, NUMBERS);
  readonly #texts = new Uint8Array(this.memory, TEXTS_AT);

  begin(doing: Doing, doneFor: DoneFor): void {
    if ("taskId" in doneFor) this.#note("task", doneFor.taskId, doneFor.stepId ?? "");
    else {
      const { at = "" } = doneFor;
      const detail = Buffer.byteLength(at) > DETAIL_LENGTH ? "" : toLatin1(at);
      if ("schedule" in doneFor) this.#note("schedule", doneFor.schedule, detail);
      else this.#note("flow", doneFor.flow, detail);
    }
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

  #note(kind: (typeof KINDS)[number], name: string, detail: string): void {
    this.#numbers[4] = KINDS.indexOf(kind);
    this.#numbers[5] = this.#write(0, name);
    this.#numbers[6] = this.#write(NAME_LENGTH, detail);
  }

  #write(at: number, text: string): number {
    for (let place = 0; place < text.length; place++) this.#texts[at + place] = text.charCodeAt(place);
    return text.length;
  }
}

/** A character for each byte of UTF-8. */
function toLatin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** For the heartbeat's thread. */
export function readActivity(memory: ActivityMemory): Seen {
  const numbers = new Int32Array(memory, 0, NUMBERS);
  const textAt = (at: number, length: number): string =>
    Buffer.from(memory.slice(TEXTS_AT + at, TEXTS_AT + at + length)).toString();
  const name = textAt(0, numbers[5] ?? 0);
  const detail = textAt(NAME_LENGTH, numbers[6] ?? 0);
  return {
    count: Atomics.load(numbers, 0),
    doing: DOINGS[Atomics.load(numbers, 1)],
    culprit: culpritOf(KINDS[numbers[4] ?? 0], name, detail),
    isLeaving: Atomics.load(numbers, 2) === 1,
    isListening: Atomics.load(numbers, 3) === 1,
  };
}

function culpritOf(kind: (typeof KINDS)[number] | undefined, name: string, detail: string): Culprit {
  if (kind === "schedule") return { schedule: name, at: detail };
  if (kind === "flow") return { flow: name, at: detail };
  return { taskId: name, stepId: detail };
}
