// A form for a JSON Schema. It returns JSON as text, so that numbers stay as they were typed. The server checks it
// against the contract.
//
// Each field tells its value by a layout effect, which runs before the next event. An effect would wait for a frame: a
// form sent with Enter right after a key would go without what the key had typed.

import type { ComponentChild } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { Json } from "../../core/record/json-value.ts";
import {
  alternativesOf,
  boundsOf,
  choicesOf,
  isJsonText,
  isNumberText,
  isSchema,
  onlyOf,
  resolve,
  type Schema,
  textOf,
  wordsOf,
} from "../schema.ts";

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
  const { schema, root, isRoot = false, isRequired = false } = props;
  const only = onlyOf(schema);
  if (only) return <Field {...props} schema={{ ...schema, anyOf: [], oneOf: [], ...resolve(only, root) }} />;
  if (isSchema(schema["properties"])) {
    const members = <ObjectField {...props} properties={schema["properties"]} />;
    return isRoot || isRequired ? members : <LeftOut {...props}>{(given) => <Field {...given} />}</LeftOut>;
  }
  const choices = choicesOf(schema);
  if (choices) return <ChoiceField {...props} choices={choices} />;
  const alternatives = alternativesOf(schema, root);
  if (alternatives.length > 0) return <UnionField {...props} alternatives={alternatives} />;
  switch (schema["type"]) {
    case "string":
      return <TextField {...props} />;
    case "integer":
    case "number":
      return <NumberField {...props} />;
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
  const [texts, setTexts] = useState<ReadonlyMap<string, string | undefined>>(new Map());
  const required = new Set(Array.isArray(schema["required"]) ? (schema["required"] as readonly Json[]) : []);
  useLayoutEffect(() => {
    const parts = Object.keys(properties).flatMap((key) => {
      const text = texts.get(key);
      return text === undefined ? [] : [`${JSON.stringify(key)}: ${text}`];
    });
    onChange(`{${parts.join(", ")}}`);
  }, [texts]);
  const fields = Object.entries(properties).map(([key, each]) => (
    <Field
      key={key}
      schema={resolve(isSchema(each) ? each : {}, root)}
      root={root}
      name={key}
      isRequired={required.has(key)}
      onChange={(json) => setTexts((before) => (before.get(key) === json ? before : new Map(before).set(key, json)))}
    />
  ));
  if (isRoot) return <div class="fields">{fields.length === 0 ? <p class="hint">It takes no input.</p> : fields}</div>;
  return (
    <Group schema={schema} name={name}>
      {fields}
    </Group>
  );
}

/** An object that need not be given: its fields come when somebody wants to give it. */
function LeftOut({
  children,
  ...props
}: FieldProps & { readonly children: (given: FieldProps) => ComponentChild }): ComponentChild {
  const [isGiven, setGiven] = useState(false);
  const { name, schema, onChange } = props;
  if (isGiven) {
    return (
      <div class="optional">
        {children({ ...props, isRequired: true })}
        <button
          type="button"
          class="small"
          onClick={() => {
            setGiven(false);
            onChange(undefined);
          }}
        >
          Leave out {name}
        </button>
      </div>
    );
  }
  return (
    <Group schema={schema} name={name}>
      <button type="button" class="small" onClick={() => setGiven(true)}>
        Give {name}
      </button>
    </Group>
  );
}

/** One of several forms. What was typed into another one stays, in case somebody goes back to it. */
function UnionField(props: FieldProps & { readonly alternatives: readonly Schema[] }): ComponentChild {
  const { schema, name, isRequired = false, isRoot = false, alternatives, onChange } = props;
  const isOptional = !isRequired && !isRoot;
  const [chosen, setChosen] = useState(isOptional ? -1 : 0);
  const [opened, setOpened] = useState<readonly number[]>(isOptional ? [] : [0]);
  const [texts, setTexts] = useState<ReadonlyMap<number, string | undefined>>(new Map());
  useLayoutEffect(() => onChange(chosen < 0 ? undefined : texts.get(chosen)), [chosen, texts]);
  return (
    <Group schema={schema} name={name}>
      <select
        aria-label={`Form of ${name}`}
        value={chosen}
        onChange={({ currentTarget }) => {
          const next = Number(currentTarget.value);
          setChosen(next);
          if (next >= 0 && !opened.includes(next)) setOpened([...opened, next]);
        }}
      >
        {isOptional && <option value={-1}>{leftOut(schema)}</option>}
        {alternatives.map((each, place) => (
          <option key={place} value={place}>
            {wordsOf(each)}
          </option>
        ))}
      </select>
      {opened.map((place) => (
        <div key={place} hidden={place !== chosen}>
          <Field
            {...props}
            schema={alternatives[place] ?? {}}
            isRoot={false}
            isRequired
            onChange={(json) =>
              setTexts((before) => (before.get(place) === json ? before : new Map(before).set(place, json)))
            }
          />
        </div>
      ))}
    </Group>
  );
}

/** A text of any length keeps its lines. With Enter the form is sent, and Shift and Enter begin a line. */
function TextField({ schema, name, isRequired = false, onChange }: FieldProps): ComponentChild {
  const [text, setText] = useState("");
  const change = (next: string): void => {
    setText(next);
    onChange(next === "" && (!isRequired || schema["default"] !== undefined) ? undefined : JSON.stringify(next));
  };
  useLayoutEffect(() => change(""), []);
  const isShort = typeof schema["format"] === "string" || typeof schema["pattern"] === "string";
  const common = { value: text, placeholder: placeholderOf(schema) };
  return (
    <Labelled schema={schema} name={name} isRequired={isRequired}>
      {isShort ? (
        <input type="text" {...common} onInput={(event) => change(event.currentTarget.value)} />
      ) : (
        <textarea
          rows={1}
          {...common}
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={(event) => {
            const { form } = event.currentTarget;
            if (event.key !== "Enter" || event.shiftKey || event.isComposing || !form) return;
            event.preventDefault();
            form.requestSubmit();
          }}
        />
      )}
    </Labelled>
  );
}

function NumberField({ schema, name, isRequired = false, onChange }: FieldProps): ComponentChild {
  const [text, setText] = useState("");
  const mustGive = isRequired && schema["default"] === undefined;
  return (
    <Labelled schema={schema} name={name} isRequired={isRequired}>
      <input
        type="text"
        inputMode="decimal"
        required={mustGive}
        placeholder={placeholderOf(schema)}
        value={text}
        aria-invalid={text.trim() !== "" && !isNumberText(text.trim())}
        onInput={({ currentTarget: { value } }) => {
          const number = value.trim();
          setText(value);
          onChange(number === "" ? undefined : isNumberText(number) ? number : JSON.stringify(value));
        }}
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
  // where there is nothing to choose, it is chosen; anything else a person chooses
  const isFixed = mustChoose && choices.length === 1;
  const [chosen, setChosen] = useState(isFixed ? JSON.stringify(choices[0]) : "");
  useLayoutEffect(() => onChange(chosen === "" ? undefined : chosen), [chosen]);
  return (
    <Labelled schema={schema} name={name} isRequired={isRequired}>
      <select value={chosen} required={mustChoose} onChange={(event) => setChosen(event.currentTarget.value)}>
        {!isFixed && <option value="">{mustChoose ? "choose…" : leftOut(schema)}</option>}
        {choices.map((choice) => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
            {textOf(choice)}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

function ListField({
  schema,
  root,
  name,
  items,
  isRequired = false,
  onChange,
}: FieldProps & { readonly items: Schema }): ComponentChild {
  const [rows, setRows] = useState<readonly { readonly id: number; readonly json: string | undefined }[]>([]);
  const [count, setCount] = useState(0);
  useLayoutEffect(() => {
    const isLeftOut = rows.length === 0 && (!isRequired || schema["default"] !== undefined);
    onChange(isLeftOut ? undefined : `[${rows.map(({ json }) => json ?? "null").join(", ")}]`);
  }, [rows]);
  return (
    <Group schema={schema} name={name}>
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
            aria-label={`Remove ${name} ${place + 1}`}
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
    </Group>
  );
}

/** For schemas without a field of their own: records, tuples, anything. */
function JsonField({ schema, name, isRequired = false, onChange }: FieldProps): ComponentChild {
  const [text, setText] = useState("");
  const isWrong = text.trim() !== "" && !isJsonText(text);
  return (
    <Labelled
      schema={schema}
      name={name}
      isRequired={isRequired}
      hint={isWrong ? "this is not JSON: a text needs quotes" : "JSON: a text needs quotes"}
    >
      <textarea
        rows={3}
        value={text}
        spellcheck={false}
        placeholder={placeholderOf(schema)}
        aria-invalid={isWrong}
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

function Labelled({ schema, name, isRequired, hint = "", children }: LabelledProps): ComponentChild {
  return (
    <label class="field">
      <span>
        {name}
        {isRequired && schema["default"] === undefined && <span class="required"> required</span>}
      </span>
      {children}
      <Told schema={schema} hint={hint} />
    </label>
  );
}

/** A field of several controls. */
function Group({ schema, name, children }: Pick<LabelledProps, "schema" | "name" | "children">): ComponentChild {
  const hint = schema["default"] === undefined ? "" : `default: ${textOf(schema["default"])}`;
  return (
    <fieldset class="fields">
      <legend>{name}</legend>
      <Told schema={schema} hint={hint} />
      {children}
    </fieldset>
  );
}

function Told({ schema, hint }: { readonly schema: Schema; readonly hint: string }): ComponentChild {
  const said = [textOf(schema["description"] ?? ""), boundsOf(schema), hint].filter((part) => part !== "");
  return said.length > 0 && <small>{said.join("; ")}</small>;
}

function placeholderOf(schema: Schema): string {
  return schema["default"] === undefined ? "" : textOf(schema["default"]);
}

function leftOut(schema: Schema): string {
  return schema["default"] === undefined ? "left out" : `default: ${JSON.stringify(schema["default"])}`;
}
