// A value that a person is asked for, part by part.

import type { Keys } from "../field-place.ts";
import type { JsonSchema } from "../json-schema.ts";
import type { Draft } from "./draft.ts";
import type { Judge } from "./judge.ts";
import type { Questions } from "./open-questions.ts";

export interface Form {
  readonly questions: Questions;
  /** What is known so far. */
  readonly draft: Draft;
  readonly judge: Judge;
  /** Of the whole. */
  readonly schema: JsonSchema;
  /** What the whole is called: `input`. */
  readonly whole: string;
}

export interface Field {
  readonly keys: Keys;
  readonly schema: JsonSchema;
  /** Without it the whole is not complete. */
  readonly isRequired: boolean;
}
