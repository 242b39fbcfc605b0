// Flows of one kind of step, and their programs, which a test feeds by hand.

import * as v from "valibot";
import { createProgram } from "../../src/core/flow/create-program.ts";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, type Operation } from "../../src/core/flow/operation.ts";
import type { Outcome, Program, ProgramTask, Turn } from "../../src/core/flow/program.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { readError } from "../../src/core/record/stored-error.ts";

export const work = defineTool({ name: "work", input: v.unknown(), output: v.unknown(), run: () => null });

export const TASK: ProgramTask = {
  id: "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11",
  input: "null",
  createdAt: 0,
  stepsMax: 1000,
};

export type Body = () => Generator<Operation<unknown>, unknown, unknown>;

export const flowOf = (run: Body): Flow =>
  defineFlow({ name: "sample", input: v.unknown(), signals: { go: v.unknown() }, run });

export const programOf = (run: Body): Program => createProgram(flowOf(run), TASK);

export const step = (as: string): Operation<unknown> => call(work, as, { as });

export const done = (value: unknown): Outcome => ({ kind: "completed", output: JSON.stringify(value) });

export const failed = (message: string): Outcome => ({
  kind: "failed",
  error: JSON.stringify({ name: "Error", message }),
});

export const names = (turn: Turn): string[] => turn.planned.map((decision) => decision.name);

export const pathsOf = (turn: Turn): string[] => turn.planned.map((decision) => decision.path);

/** The program's output, parsed; else how it has ended, or undefined. */
export const outputOf = (program: Program): unknown =>
  program.end?.kind === "completed" ? JSON.parse(program.end.output) : program.end;

/** The message of the error with which it has failed; else how it has ended, or undefined. */
export const errorOf = (program: Program): unknown =>
  program.end?.kind === "failed" ? readError(program.end.error).message : program.end;
