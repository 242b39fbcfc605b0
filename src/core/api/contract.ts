// Contracts of the resources in a server's answers. Its OpenAPI document is made from them, and the client checks with them
// whether a taskonaut server has answered. Fields may be added, so objects are open. A field that released servers do not
// send yet is `v.exactOptional`.

import * as v from "valibot";
import type { Json } from "../record/json-value.ts";

/** A contract of a type of core: the compiler compares each of its fields. */
export type Answer<T> = v.GenericSchema<T, T>;

export const Text = v.string();
export const TextOrNull = v.nullable(v.string());
export const Whole = v.pipe(v.number(), v.integer());
export const WholeOrNull = v.nullable(Whole);

/** RFC 3339, UTC, milliseconds. */
export const Time = v.pipe(v.string(), v.metadata({ format: "date-time" }));
export const TimeOrNull = v.nullable(Time);

export const Id = v.pipe(v.string(), v.metadata({ format: "uuid" }));
export const IdOrNull = v.nullable(Id);

/** Whatever a user's flow or tool put there. */
export const Payload = v.any() as v.GenericSchema<Json, Json>;

/** One of these words. A newer server may have more, so a client accepts any text. */
export function word<const Word extends string>(words: readonly Word[]): v.GenericSchema<Word, Word> {
  return v.pipe(
    v.custom<Word>((value) => typeof value === "string"),
    v.metadata({ type: "string", enum: words }),
  );
}
