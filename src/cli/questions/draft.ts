// A value while it is put together, answer by answer. `keys` say where in it something stands: `["items", 0, "sku"]`.

import type { Json } from "../../core/record/json-value.ts";
import type { Keys } from "../field-place.ts";

export class Draft {
  #value: Json | undefined;
  /** What nobody was asked for, since only one value may stand there: it says which form of an object is meant. */
  #marks: readonly { readonly keys: Keys; readonly value: Json }[] = [];

  constructor(value?: Json) {
    this.#value = value;
  }

  /** Undefined: nothing is known of it yet. */
  get value(): Json | undefined {
    return this.#value;
  }

  at(keys: Keys): Json | undefined {
    return keys.reduce<Json | undefined>((value, key) => childOf(value, key), this.#value);
  }

  /** The whole as it would be with this value there. */
  with(keys: Keys, value: Json): Json {
    return put(this.#value, keys, value);
  }

  set(keys: Keys, value: Json): void {
    this.#value = this.with(keys, value);
  }

  /** Sets what tells one form of an object from the others. */
  mark(keys: Keys, value: Json): void {
    this.set(keys, value);
    this.#marks = [...this.#marks, { keys, value }];
  }

  /** The whole as it would be with this value alone, beside what tells the forms of the objects. */
  alone(keys: Keys, value: Json): Json {
    return this.#marks.reduce((whole, mark) => put(whole, mark.keys, mark.value), put(undefined, keys, value));
  }

  /** What stands there is left out; an item of a list moves up what follows it. */
  drop(keys: Keys): void {
    this.#marks = this.#marks.filter((mark) => !keys.every((key, depth) => mark.keys[depth] === key));
    const above = this.at(keys.slice(0, -1));
    const key = keys.at(-1);
    if (key === undefined) this.#value = undefined;
    else if (Array.isArray(above)) this.set(keys.slice(0, -1), without(above, Number(key)));
    else if (isObject(above)) {
      const kept = Object.entries(above).filter(([name]) => name !== key);
      this.set(keys.slice(0, -1), Object.fromEntries(kept));
    }
  }
}

function without(list: readonly Json[], place: number): Json[] {
  return list.filter((_, index) => index !== place);
}

function childOf(value: Json | undefined, key: string | number): Json | undefined {
  if (Array.isArray(value)) return typeof key === "number" ? (value as Json[])[key] : undefined;
  return isObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
}

function put(whole: Json | undefined, keys: Keys, value: Json): Json {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (typeof key === "number") {
    const list: Json[] = Array.isArray(whole) ? [...(whole as Json[])] : [];
    list[key] = put(list[key], rest, value);
    return list;
  }
  const entries = isObject(whole) ? Object.entries(whole) : [];
  const known = entries.some(([name]) => name === key);
  const changed = entries.map(([name, each]): [string, Json] => [name, name === key ? put(each, rest, value) : each]);
  // not by assignment: a field may be called __proto__
  return Object.fromEntries(known ? changed : [...changed, [key, put(undefined, rest, value)]]);
}

type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
