// A form for a JSON Schema. It returns JSON as text, so that numbers stay as they were typed. The server checks it
// against the contract.

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Json } from "../../core/record/json-value.ts";

type Schema = { readonly [key: string]: Json };

interface Props {
  readonly schema: Schema;
  readonly name: string;
  /** The JSON text. Undefined: the value is left out, and the server uses its default if there is one. */
  readonly onChange: (json: string | undefined) => void;
  readonly isRequired?: boolean;
}

export function SchemaForm(props: Props): ComponentChild {
  const { schema } = props;
  const root = { ...schema };
  return <Field {...props} schema={resolve(root, root)} root={root} isRoot />;
}

interface FieldProps extends Props {
  readonly root: Schema;
  readonly isRoot?: boolean;
}

function Field(props: FieldProps): ComponentChild {
  const { schema } = props;
  if (isSchema(schema["properties"])) return <ObjectField {...props} properties={schema["properties"]} />;
  if (Array.isArray(schema["enum"])) return <ChoiceField {...props} choices={schema["enum"] as readonly Json[]} />;
  if (schema["const"] !== undefined) return <ChoiceField {...props} choices={[schema["const"]]} />;
  switch (schema["type"]) {
    case "boolean":
      return <ChoiceField {...props} choices={[true, false]} />;
    case "string":
      return <TextField {...props} toJson={(text) => JSON.stringify(text)} />;
    case "integer":
    case "number":
      return <TextField {...props} isNumber toJson={(text) => text.trim()} />;
    case "array":
      return isSchema(schema["items"]) ? <ListField {...props} items={schema["items"]} /> : <JsonField {...props} />;
    default:
      return <JsonField {...props} />;
  }
}

function ObjectField({
  properties,
  schema,
  root,
  name,
  isRoot,
  onChange,
}: FieldProps & { readonly properties: Schema }): ComponentChild {
  const [texts, setTexts] = useState<Readonly<Record<string, string | undefined>>>({});
  const required = new Set(Array.isArray(schema["required"]) ? (schema["required"] as readonly Json[]) : []);
  useEffect(() => {
    const parts = Object.keys(properties).flatMap((key) =>
      texts[key] === undefined ? [] : [`${JSON.stringify(key)}: ${texts[key]}`],
    );
    onChange(parts.length === 0 && !isRoot && required.size === 0 ? undefined : `{${parts.join(", ")}}`);
  }, [texts]);
  const fields = Object.entries(properties).map(([key, each]) => (
    <Field
      key={key}
      schema={resolve(isSchema(each) ? each : {}, root)}
      root={root}
      name={key}
      isRequired={required.has(key)}
      onChange={(json) => setTexts((before) => (before[key] === json ? before : { ...before, [key]: json }))}
    />
  ));
  if (isRoot) return <div class="fields">{fields.length === 0 ? <p class="hint">It takes no input.</p> : fields}</div>;
  return (
    <fieldset class="fields">
      <legend>{name}</legend>
      {fields}
    </fieldset>
  );
}

interface TextProps extends FieldProps {
  readonly isNumber?: boolean;
  readonly toJson: (text: string) => string;
}

function TextField({
  schema,
  name,
  isRequired = false,
  isNumber = false,
  toJson,
  onChange,
}: TextProps): ComponentChild {
  const [text, setText] = useState("");
  const change = (next: string): void => {
    setText(next);
    onChange(next === "" && (isNumber || !isRequired || schema["default"] !== undefined) ? undefined : toJson(next));
  };
  useEffect(() => change(""), []);
  return (
    <Labelled schema={schema} name={name} isRequired={isRequired}>
      <input
        type="text"
        inputMode={isNumber ? "decimal" : "text"}
        required={isRequired && schema["default"] === undefined && schema["minLength"] !== 0 && isNumber}
        placeholder={schema["default"] === undefined ? "" : textOf(schema["default"])}
        value={text}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </Labelled>
  );
}

function ChoiceField({
  schema,
  name,
  choices,
  isRequired = false,
  onChange,
}: FieldProps & { readonly choices: readonly Json[] }): ComponentChild {
  const mustChoose = isRequired && schema["default"] === undefined;
  const first = mustChoose ? JSON.stringify(choices[0]) : "";
  const [chosen, setChosen] = useState(first);
  useEffect(() => onChange(chosen === "" ? undefined : chosen), [chosen]);
  return (
    <Labelled schema={schema} name={name} isRequired={isRequired}>
      <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
        {!mustChoose && (
          <option value="">
            {schema["default"] === undefined ? "left out" : `default: ${JSON.stringify(schema["default"])}`}
          </option>
        )}
        {choices.map((choice) => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
            {typeof choice === "string" ? choice : JSON.stringify(choice)}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

function ListField({
  root,
  name,
  items,
  isRequired = false,
  onChange,
}: FieldProps & { readonly items: Schema }): ComponentChild {
  const [rows, setRows] = useState<readonly { readonly id: number; readonly json: string | undefined }[]>([]);
  const [count, setCount] = useState(0);
  useEffect(() => {
    const isLeftOut = rows.length === 0 && !isRequired;
    onChange(isLeftOut ? undefined : `[${rows.map(({ json }) => json ?? "null").join(", ")}]`);
  }, [rows]);
  return (
    <fieldset class="fields">
      <legend>{name}</legend>
      {rows.map(({ id }, place) => (
        <div key={id} class="list-row">
          <Field
            schema={resolve(items, root)}
            root={root}
            name={`${name} ${place + 1}`}
            isRequired
            onChange={(json) =>
              setRows((before) => before.map((row) => (row.id === id && row.json !== json ? { id, json } : row)))
            }
          />
          <button
            type="button"
            class="small"
            onClick={() => setRows((before) => before.filter((row) => row.id !== id))}
          >
            Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        class="small"
        onClick={() => {
          setRows((before) => [...before, { id: count, json: undefined }]);
          setCount(count + 1);
        }}
      >
        Add to {name}
      </button>
    </fieldset>
  );
}

/** For schemas without a field of their own: unions, records, anything. */
function JsonField({ schema, name, isRequired = false, onChange }: FieldProps): ComponentChild {
  const [text, setText] = useState("");
  return (
    <Labelled schema={schema} name={name} isRequired={isRequired} hint="JSON: a text needs quotes">
      <textarea
        rows={3}
        value={text}
        spellcheck={false}
        aria-invalid={text.trim() !== "" && !isJson(text)}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          onChange(next.trim() === "" ? undefined : next);
        }}
      />
    </Labelled>
  );
}

interface LabelledProps {
  readonly schema: Schema;
  readonly name: string;
  readonly isRequired: boolean;
  readonly hint?: string;
  readonly children: ComponentChild;
}

function Labelled({ schema, name, isRequired, hint, children }: LabelledProps): ComponentChild {
  const said = [textOf(schema["description"] ?? ""), rangeOf(schema), hint ?? ""].filter((part) => part !== "");
  return (
    <label class="field">
      <span>
        {name}
        {isRequired && schema["default"] === undefined && <span class="required"> required</span>}
      </span>
      {children}
      {said.length > 0 && <small>{said.join("; ")}</small>}
    </label>
  );
}

function rangeOf({ minimum, maximum, format, pattern, minLength, maxLength }: Schema): string {
  const parts = [
    isBound(minimum) && `from ${minimum}`,
    isBound(maximum) && `to ${maximum}`,
    isBound(minLength) && minLength > 0 && `${minLength} characters or more`,
    isBound(maxLength) && `${maxLength} characters at most`,
    typeof format === "string" && format,
    typeof pattern === "string" && format === undefined && `like ${pattern}`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}

/** Whether a bound is worth showing: the bounds of safe integers are not. */
function isBound(value: Json | undefined): value is number {
  return typeof value === "number" && Math.abs(value) < 2 ** 53 - 1;
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Follows `$ref` within the document. For `T | null` it returns T. */
function resolve(schema: Schema, root: Schema, depth = 0): Schema {
  const ref = schema["$ref"];
  if (typeof ref === "string" && depth < 16) {
    const found = ref
      .replace(/^#\//, "")
      .split("/")
      .reduce<Json | undefined>((at, key) => (isSchema(at) ? at[key] : undefined), root);
    return isSchema(found) ? resolve(found, root, depth + 1) : {};
  }
  const either = schema["anyOf"];
  if (Array.isArray(either)) {
    const others = (either as readonly Json[]).filter((each) => isSchema(each) && each["type"] !== "null");
    const [only] = others;
    if (others.length === 1 && isSchema(only)) return { ...schema, anyOf: [], ...resolve(only, root, depth + 1) };
  }
  return schema;
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
