// The description of a route for the OpenAPI document (`openapi.ts`). It is part of the route's row: a route without it does
// not compile.

import * as v from "valibot";
import { TaskAnswer } from "../core/api/answers.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Schema } from "../core/flow/contract.ts";

/** A contract of JSON, something else than JSON, or `nothing`. */
export type AnswerBody = Schema | { readonly type: string; readonly about: string } | "nothing";

export interface About {
  /** In a few words: "Creates a task". */
  readonly summary: string;
  /** Sentences. */
  readonly more?: string;
  /** The contract of its body. `of`: a contract of a loaded flow takes its place. */
  readonly body?: Schema | { readonly of: "flow" | "signal" };
  /** It works without a body, too. */
  readonly isBodyOptional?: boolean;
  /** It takes the header Idempotency-Key. */
  readonly isIdempotent?: boolean;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerBody>>;
  /** Headers of its answers, beside those that all have, and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Beside those that `errorsOf` knows by what the route takes. */
  readonly errors?: readonly ErrorCode[];
  /** It removes something, ends something, or stops others from working: a person is asked first. */
  readonly destroys?: true;
  /** The header `traceparent` of its request is kept with the task that it makes. */
  readonly isTraced?: true;
}

/** Of an order that says everything in its path; a body that says more is not passed over. */
export const NoBody = v.strictObject({});

export const NO_BODY = { body: NoBody, isBodyOptional: true } as const;

export const ANSWERS_TASK = { 200: TaskAnswer } as const;

/** Whoever repeats the request with the same idempotency key finds the first one's task. */
export const ANSWERS_CREATED = { 201: TaskAnswer, 200: TaskAnswer } as const;

export const LOCATION = { Location: "The path of the task." } as const;

export const LINK = { Link: 'The address of the next page, as <…>; rel="next". None: it is the last one.' } as const;
