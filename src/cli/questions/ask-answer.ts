// The answer to one question: a choice of several, or a text that is read and judged.

import type { Json } from "../../core/record/json-value.ts";
import { exampleOf } from "../example-value.ts";
import { readField } from "../input-fields.ts";
import type { Field, Form } from "./form.ts";
import type { Shape } from "./shape.ts";
import { titleOf } from "./title.ts";

/** One of the words, or none where it may be left out. */
export async function askChoice(form: Form, field: Field, words: readonly Json[]): Promise<void> {
  const { keys, schema, isRequired } = field;
  const { default: usual } = schema;
  const before = form.draft.at(keys) ?? usual;
  const choices = words.map((word) => ({ value: { word }, label: toFieldText(word) }));
  const leaving = isRequired || usual !== undefined ? [] : [{ value: { word: undefined }, label: "(leave it out)" }];
  const all = [...leaving, ...choices];
  const place = all.findIndex(({ value }) => value.word !== undefined && value.word === before);
  const { word } = await form.questions.choose<{ readonly word: Json | undefined }>(
    titleOf(form, field),
    all,
    Math.max(place, 0),
  );
  if (word === undefined) form.draft.drop(keys);
  else form.draft.set(keys, word);
}

/** An empty answer takes the default that is shown; without one it leaves out what may be left out. */
export async function askText(form: Form, field: Field, shape: Extract<Shape, { kind: "text" }>): Promise<void> {
  const { draft, judge, questions } = form;
  const { keys, schema, isRequired } = field;
  const { default: usual } = schema;
  const preset = usual === undefined ? undefined : toFieldText(usual);
  const before = draft.at(keys);
  const canBeEmpty = preset !== undefined || !isRequired;
  const validate = (text: string): string | undefined => {
    if (text === "" && canBeEmpty) return undefined;
    const result = readField(schema, text);
    if (!result.ok) return shape.isJson ? `${result.message}; JSON is such as ${exampleJson(field)}` : result.message;
    return judge(draft, keys, result.value, schema);
  };
  const text = await questions.text(`${titleOf(form, field)}${shape.isJson ? ", as JSON" : ""}`, {
    ...(preset !== undefined && { preset }),
    ...(before !== undefined && { initial: toFieldText(before) }),
    placeholder: placeholderOf(field, shape),
    validate,
  });
  if (text === "" && canBeEmpty && preset === undefined) return draft.drop(keys);
  const result = readField(schema, text);
  if (!result.ok) throw new Error(`The prompt let pass what ${keys.join(".")} does not take: ${result.message}`);
  draft.set(keys, result.value);
}

function placeholderOf(field: Field, { isJson, takesNull }: Extract<Shape, { kind: "text" }>): string {
  const ways = [
    ...(isJson ? [`such as ${exampleJson(field)}`] : []),
    ...(takesNull ? ["null for none"] : []),
    ...(field.isRequired ? [] : ["may be left empty"]),
  ];
  return ways.join("; ");
}

function exampleJson({ schema }: Field): string {
  const example = exampleOf(schema);
  return example && example.value !== null ? JSON.stringify(example.value) : '{"a": [1, "text"]}';
}

/** The text that readField would read back. */
function toFieldText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
