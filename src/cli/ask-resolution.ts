// Questions about a step in doubt: which one, and how it ended.

import { TaskonautError, type Violation } from "../core/errors.ts";
import type { Task, TaskStep } from "../core/api/task.ts";
import { resolutionOf, type Way, WAYS } from "../core/api/resolution.ts";
import type { OutputContract, ResolveTask, Taskonaut } from "../core/api/taskonaut.ts";
import type { Call } from "./command.ts";
import { stepsInDoubt } from "../core/api/describe-waits.ts";
import { schemaWithin } from "./json-schema.ts";
import { askField } from "./questions/ask-field.ts";
import { untilTaken } from "./questions/ask-again.ts";
import { Draft } from "./questions/draft.ts";
import type { Form } from "./questions/form.ts";
import { createJudge } from "./questions/judge.ts";
import { openQuestions, type Questions } from "./questions/open-questions.ts";

const LABELS: Readonly<Record<Way, { readonly label: string; readonly hint: string }>> = {
  output: { label: "It happened", hint: "you give its output" },
  retry: { label: "It did not happen", hint: "its tool is called again, under the same key" },
  fail: { label: "It failed", hint: "the flow may catch that" },
};

/**
 * Settles the step as a person says. Asks for the output by the tool's contract, if this process has it. Throws
 * task_not_in_doubt and `cancelled`.
 */
export async function resolveAsking(
  { io }: Pick<Call, "io">,
  taskonaut: Taskonaut,
  task: Task,
  { step: given, messageDefault }: { readonly step: number | undefined; readonly messageDefault: string },
): Promise<Task> {
  const doubts = stepsInDoubt(task).filter(({ step_index }) => given === undefined || step_index === given);
  const [first] = doubts;
  if (!first) {
    const where = given === undefined ? "no step of it is in doubt" : `step ${given} of it is not in doubt`;
    const message = `Task ${task.id} is ${task.status}, and ${where}: there is nothing to settle.`;
    throw new TaskonautError("task_not_in_doubt", message, { details: { id: task.id, status: task.status } });
  }
  const questions = await openQuestions(io, "Cancelled. Nothing was settled.");
  const step = doubts.length === 1 ? first : await chooseStep(questions, doubts);
  const choices = WAYS.map((way) => ({ value: way, ...LABELS[way] }));
  const way = await questions.choose(`How did step ${step.step_index} ${step.step_name} end?`, choices);
  const contract = way === "output" ? await taskonaut.describeOutput(task.id, step.step_index) : undefined;
  const form = way === "output" ? await askOutput(questions, contract) : undefined;
  const message = way === "fail" ? await askMessage(questions, messageDefault) : messageDefault;
  const request = (): ResolveTask => ({
    step: step.step_index,
    resolution: resolutionOf(way, { output: form?.draft.value, message }),
  });
  const settled = await untilTaken(
    form,
    () => taskonaut.resolveTask(task.id, request()),
    contract ? withinOutput : asWhole,
  );
  await io.stderr.write("\n");
  return settled;
}

function chooseStep(questions: Questions, doubts: readonly TaskStep[]): Promise<TaskStep> {
  const choices = doubts.map((step) => ({ value: step, label: `${step.step_index} ${step.step_name}` }));
  return questions.choose("Which step?", choices);
}

/** Without the tool's contract the output is typed as JSON, and checked when it is sent. */
async function askOutput(questions: Questions, contract: OutputContract | undefined): Promise<Form> {
  const schema = contract ? schemaWithin(contract.schema, contract.schema) : {};
  const judge = contract ? createJudge((value) => contract.findBreaches(value)) : (): undefined => undefined;
  const form: Form = { questions, draft: new Draft(), judge, schema, whole: "output" };
  await askField(form, { keys: [], schema, isRequired: true });
  return form;
}

/** `output.receipt` is the field `receipt`. */
function withinOutput({ path, message }: Violation): Violation {
  return { path: path.replace(/^output(?:\.|$)/, ""), message };
}

/** The whole was given as JSON, so the whole is asked for again. */
function asWhole({ path, message }: Violation): Violation {
  return { path: "", message: path === "" ? message : `${path}: ${message}` };
}

function askMessage(questions: Questions, preset: string): Promise<string> {
  return questions.text("What is its error message?", { preset, validate: () => undefined });
}
