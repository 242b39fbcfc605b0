// The description of a route for the OpenAPI document (`openapi.ts`). It is part of the route's row, so a route without
// one does not compile.

import * as v from "valibot";
import { TaskAnswer } from "../core/api/answers.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Schema } from "../core/flow/contract.ts";

/** A contract for JSON, another content type, or `nothing`. */
export type AnswerBody = Schema | { readonly type: string; readonly about: string } | "nothing";

export interface About {
  /** A few words: "Creates a task". */
  readonly summary: string;
  /** Full sentences. */
  readonly more?: string;
  /** The contract of the request's body. `of`: it is a contract of a loaded flow. */
  readonly body?: Schema | { readonly of: "flow" | "signal" };
  /** The route also works without a body. */
  readonly isBodyOptional?: boolean;
  /** The route accepts the header Idempotency-Key. */
  readonly isIdempotent?: boolean;
  /** Keyed by status. */
  readonly answers: Readonly<Record<number, AnswerBody>>;
  /** The answer's own headers and their descriptions, besides the headers that all answers have. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Besides the errors that `errorsOf` derives from the route's parameters and body. */
  readonly errors?: readonly ErrorCode[];
  /** It removes or ends something, or stops others from working, so the dashboard asks the user first. */
  readonly destroys?: true;
  /** The route stores the request's header `traceparent` with the task that it makes. */
  readonly isTraced?: true;
}

/** For an order that is complete in its path. A body with more fields is refused, not ignored. */
export const NoBody = v.strictObject({});

export const NO_BODY = { body: NoBody, isBodyOptional: true } as const;

export const ANSWERS_TASK = { 200: TaskAnswer } as const;

/** A repeated request with the same idempotency key gets the task of the first one. */
export const ANSWERS_CREATED = { 201: TaskAnswer, 200: TaskAnswer } as const;

export const LOCATION = { Location: "The path of the task." } as const;

export const LINK = { Link: 'The address of the next page, as <…>; rel="next". None: it is the last one.' } as const;
