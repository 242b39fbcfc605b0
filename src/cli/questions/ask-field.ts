// Walks through a value with a person: objects field by field, lists item by item. Each answer is judged at once, and stands
// in the draft when it is given.

import type { Json } from "../../core/record/json-value.ts";
import { showJson } from "../cells.ts";
import { findBreach } from "../field-breach.ts";
import type { Keys } from "../field-place.ts";
import { formOf, isObjectForm } from "../input-form.ts";
import { isSchema, itemOf, type JsonSchema, optionsOf, schemasUnder, schemaWithin, wordsOf } from "../json-schema.ts";
import { askChoice, askText } from "./ask-answer.ts";
import type { Field, Form } from "./form.ts";
import { describeVariant, shapeOf } from "./shape.ts";
import { actionOn, nameOf, titleOf } from "./title.ts";

/** Asks for it, and for all that is in it. What is not given is left out of the draft. */
export async function askField(form: Form, field: Field): Promise<void> {
  const shape = shapeOf(field.schema);
  switch (shape.kind) {
    case "words":
      return askChoice(form, field, shape.takesNull ? [...shape.words, null] : shape.words);
    case "yes-no":
      return askYesNo(form, field, shape.takesNull);
    case "text":
      return askText(form, field, shape);
    case "variants":
      if (await isGiven(form, field, shape.takesNull)) await askVariant(form, field, shape.variants);
      return;
    case "object":
      if (field.keys.length > 0 && isRecord(shape.schema)) return askEntries(form, { ...field, schema: shape.schema });
      if (await isGiven(form, field, shape.takesNull)) await askObject(form, field.keys, shape.schema);
      return;
    case "list":
      if (shape.takesNull || hasItems(field.schema["default"])) {
        if (!(await isGiven(form, field, shape.takesNull))) return;
        return askItems(form, { ...field, schema: shape.schema, isRequired: true });
      }
      return askItems(form, { ...field, schema: shape.schema });
  }
}

function hasItems(value: Json | undefined): boolean {
  return Array.isArray(value) && value.length > 0;
}

async function askYesNo(form: Form, field: Field, takesNull: boolean): Promise<void> {
  const { keys, schema, isRequired } = field;
  const { default: usual } = schema;
  if (takesNull || (!isRequired && usual === undefined))
    return askChoice(form, field, takesNull ? [true, false, null] : [true, false]);
  form.draft.set(keys, await form.questions.yesNo(titleOf(form, field), usual === true));
}

/** Whether what has parts is given at all; where not, its default or null is, or it is left out. */
async function isGiven({ questions, draft, whole }: Form, field: Field, takesNull: boolean): Promise<boolean> {
  const { keys, schema, isRequired } = field;
  const { default: usual } = schema;
  if (usual === undefined && isRequired && !takesNull) return true;
  const action =
    usual !== undefined && usual !== null
      ? `change its default ${showJson(usual, DEFAULT_COLUMNS)}?`
      : `give it?${isRequired ? " (otherwise it is null)" : ""}`;
  if (await questions.yesNo(actionOn({ whole }, field, action), false)) return true;
  if (isRequired) draft.set(keys, usual ?? null);
  else draft.drop(keys);
  return false;
}

const DEFAULT_COLUMNS = 40;

async function askVariant(form: Form, field: Field, variants: readonly JsonSchema[]): Promise<void> {
  const choices = variants.map((variant) => ({ value: variant, ...describeVariant(variant) }));
  const variant = await form.questions.choose(actionOn(form, field, "which form?"), choices);
  // what was given in another form is no start of this one
  form.draft.drop(field.keys);
  await askField(form, { keys: field.keys, schema: withoutDefault(variant), isRequired: true });
}

function withoutDefault({ default: _usual, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** What `allOf` demands comes first, then the one of several forms that is chosen, then its own fields. */
async function askObject(form: Form, keys: Keys, schema: JsonSchema): Promise<void> {
  form.draft.set(keys, form.draft.at(keys) ?? {});
  for (const part of schemasUnder(schema, "allOf")) await askObject(form, keys, part);
  const forms = optionsOf(schema).filter(isObjectForm);
  if (forms.length > 1) await askObject(form, keys, await chooseForm(form, keys, forms));
  else if (forms[0]) await askObject(form, keys, forms[0]);
  const { properties, required, additionalProperties: others } = schema;
  for (const [name, property] of Object.entries(isSchema(properties) ? properties : {})) {
    const isRequired = Array.isArray(required) && required.includes(name);
    const field = { keys: [...keys, name], schema: schemaWithin(schema, property), isRequired };
    const words = wordsOf(field.schema);
    // nothing else may stand there, and it tells one form from the others
    if (isRequired && words?.length === 1) form.draft.mark(field.keys, words[0] ?? null);
    else await askField(form, field);
  }
  if (isSchema(others)) await askEntries(form, { keys, schema, isRequired: true });
}

function chooseForm({ questions, whole }: Form, keys: Keys, forms: readonly JsonSchema[]): Promise<JsonSchema> {
  const choices = forms.map((each) => ({ value: each, ...describeVariant(each) }));
  return questions.choose(actionOn({ whole }, { keys, schema: {} }, "which form?"), choices);
}

/** It has entries of any name, and no fields of its own. */
function isRecord(schema: JsonSchema): boolean {
  return formOf(schema).fields.size === 0 && isSchema(schema["additionalProperties"]);
}

async function askEntries(form: Form, { keys, schema, isRequired }: Field): Promise<void> {
  const { questions, draft } = form;
  const { additionalProperties: others, propertyNames, minProperties, maxProperties } = schema;
  const [least, most] = [countOf(minProperties, 0), countOf(maxProperties, Number.POSITIVE_INFINITY)];
  const names = isSchema(propertyNames) ? propertyNames : {};
  const count = (): number => Object.keys((draft.at(keys) as object | undefined) ?? {}).length;
  const name = nameOf(form, keys);
  if (isRequired && draft.at(keys) === undefined) draft.set(keys, {});
  for (let isFirst = true; count() < most; isFirst = false) {
    const isAsked = count() >= least || (isFirst && !isRequired);
    const question = isFirst ? actionOn(form, { keys, schema }, "add an entry?") : `${name}: add another entry?`;
    if (isAsked && !(await questions.yesNo(question, false))) break;
    const key = await questions.text(`${name}: name of the entry`, {
      validate: (text) => {
        const taken = draft.at([...keys, text]) === undefined ? undefined : `there is an entry ${text} already`;
        return text === "" ? "a name is missing" : (taken ?? findBreach(names, text));
      },
    });
    await askField(form, { keys: [...keys, key], schema: schemaWithin(schema, others), isRequired: true });
  }
}

async function askItems(form: Form, { keys, schema, isRequired }: Field): Promise<void> {
  const { questions, draft } = form;
  const { prefixItems, minItems, maxItems } = schema;
  const places = Array.isArray(prefixItems) ? prefixItems.length : 0;
  const [least, most] = [Math.max(countOf(minItems, 0), places), countOf(maxItems, Number.POSITIVE_INFINITY)];
  if (isRequired) draft.set(keys, []);
  else draft.drop(keys);
  for (let count = 0; count < most; count++) {
    const item = itemOf(schema, count);
    if (item === undefined) break;
    const isAsked = count >= least || (count === 0 && !isRequired);
    const question =
      count === 0 ? actionOn(form, { keys, schema }, "add an item?") : `${nameOf(form, keys)}: add another?`;
    if (isAsked && !(await questions.yesNo(question, false))) break;
    await askField(form, { keys: [...keys, count], schema: item, isRequired: true });
  }
}

function countOf(limit: Json | undefined, otherwise: number): number {
  return typeof limit === "number" ? limit : otherwise;
}
