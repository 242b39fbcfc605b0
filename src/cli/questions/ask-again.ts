// After a refusal by the contract as a whole: what is wrong is asked for again, and everything else stays as it was typed.

import { describeViolations, hasCode, type Violation } from "../../core/errors.ts";
import type { Json } from "../../core/record/json-value.ts";
import { showJson } from "../cells.ts";
import { findPlace, type Keys } from "../field-place.ts";
import { formOf } from "../input-form.ts";
import { askField } from "./ask-field.ts";
import type { Field, Form } from "./form.ts";
import { pathOf } from "./judge.ts";

/** Does it with the answers, and asks again for as long as the contract refuses them. Without a form nobody is asked. */
export async function untilTaken<T>(
  form: Form | undefined,
  act: () => Promise<T>,
  toForm: (violation: Violation) => Violation = (violation) => violation,
): Promise<T> {
  for (let wrong: readonly string[] = []; ;) {
    try {
      return await act();
    } catch (error) {
      if (!form || !hasCode(error, "input_invalid") || error.errors.length === 0) throw error;
      wrong = await askAgain(form, error.errors.map(toForm), wrong);
    }
  }
}

/**
 * Gives the paths that were wrong. Where the same ones are wrong again (`before`), or none is named, a person says what to
 * change: of two answers that contradict, the contract names one, and the other may be the slip.
 */
async function askAgain(
  form: Form,
  errors: readonly Violation[],
  before: readonly string[],
): Promise<readonly string[]> {
  form.questions.complain(errors.map((error) => describeViolations([error])));
  const wrong = fieldsOf(form, errors);
  const paths = wrong.map(({ keys }) => pathOf(keys));
  const isStuck = paths.length > 0 && paths.join("\n") === before.join("\n");
  if (isStuck || paths.includes("")) await askField(form, await chooseField(form, wrong));
  else for (const field of wrong) await askField(form, field);
  return paths;
}

/** Each once, the outermost only. */
function fieldsOf(form: Form, errors: readonly Violation[]): readonly Field[] {
  const fields = new Map(errors.map(({ path }) => fieldAt(form, path)).map((field) => [pathOf(field.keys), field]));
  const paths = [...fields.keys()];
  const isWithin = (path: string): boolean => paths.some((above) => above !== "" && path.startsWith(`${above}.`));
  return [...fields].filter(([path]) => !isWithin(path)).map(([, field]) => field);
}

/** The one that a path of a violation names, or what is nearest above it. */
function fieldAt({ schema }: Form, path: string): Field {
  for (let rest = path; rest !== ""; rest = rest.slice(0, Math.max(rest.lastIndexOf("."), 0))) {
    const place = findPlace(schema, rest);
    if (place) return { ...place, isRequired: isRequiredAt(schema, place.keys) };
  }
  return { keys: [], schema, isRequired: true };
}

function isRequiredAt(schema: Form["schema"], keys: Keys): boolean {
  const name = keys.at(-1);
  if (typeof name !== "string") return true;
  const above = keys.length === 1 ? schema : findPlace(schema, pathOf(keys.slice(0, -1)))?.schema;
  const { fields, required } = formOf(above ?? {});
  return required.has(name) || !fields.has(name);
}

async function chooseField(form: Form, wrong: readonly Field[]): Promise<Field> {
  const { questions, draft, schema } = form;
  const { fields, required } = formOf(schema);
  const all = [...fields].map(([name, field]): Field => ({
    keys: [name],
    schema: field,
    isRequired: required.has(name),
  }));
  if (all.length === 0) return { keys: [], schema, isRequired: true };
  const [first] = wrong;
  const place = all.findIndex(({ keys }) => keys[0] === first?.keys[0]);
  const choices = all.map((field) => ({ value: field, label: pathOf(field.keys), ...hintOf(draft.at(field.keys)) }));
  return questions.choose("Which field do you want to change?", choices, Math.max(place, 0));
}

function hintOf(value: Json | undefined): { readonly hint?: string } {
  return value === undefined ? {} : { hint: showJson(value, HINT_COLUMNS) };
}

const HINT_COLUMNS = 40;
