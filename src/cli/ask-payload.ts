// Questions about the payload of a signal, by the signal's contract.

import type { FlowDescription, Taskonaut } from "../core/api/taskonaut.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Call } from "./command.ts";
import { takesNull } from "./example-value.ts";
import { schemaWithin } from "./json-schema.ts";
import { askField } from "./questions/ask-field.ts";
import { Draft } from "./questions/draft.ts";
import type { Form } from "./questions/form.ts";
import { findCheck } from "./questions/contract-check.ts";
import { createJudge } from "./questions/judge.ts";
import { canAsk, openQuestions } from "./questions/open-questions.ts";

interface SignalOf {
  /** Of the task. */
  readonly id: string;
  /** Its name. */
  readonly signal: string;
}

interface FoundSignal {
  readonly flow: string;
  readonly contract: FlowDescription["input_schema"];
}

/** Undefined if the task has ended, if its flow takes no such signal, or if nothing here can describe the flow. */
export async function findSignal(taskonaut: Taskonaut, { id, signal }: SignalOf): Promise<FoundSignal | undefined> {
  try {
    const [task] = (await taskonaut.findTasks(id)).tasks;
    if (task === undefined || isTerminal(task.status)) return undefined;
    const contract = (await taskonaut.describeFlow(task.flow_name)).signals[signal];
    return contract && { flow: task.flow_name, contract };
  } catch {
    return undefined;
  }
}

/** Undefined if nobody can be asked, or if the signal needs no payload. Throws `cancelled`. */
export async function askPayload(call: Call, taskonaut: Taskonaut, of: SignalOf): Promise<Form | undefined> {
  if (!canAsk(call)) return undefined;
  const found = await findSignal(taskonaut, of);
  if (!found || takesNull(found.contract)) return undefined;
  const form: Form = {
    questions: await openQuestions(call.io, "Cancelled. No signal was sent."),
    draft: new Draft(),
    judge: createJudge(await findCheck(call, { flow: found.flow, signal: of.signal })),
    schema: schemaWithin(found.contract, found.contract),
    whole: "payload",
  };
  await askField(form, { keys: [], schema: form.schema, isRequired: true });
  return form;
}
