// A form for a call, and its answer. The call is sent like every request of the page: with the user's token or session.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { ApiError, type RawAnswer, send } from "../api.ts";
import { inBackground } from "../in-background.ts";
import {
  addressOf,
  curlOf,
  type Document,
  headersOf,
  type Operation,
  type Parameter,
  type Values,
  within,
} from "../openapi.ts";
import { useMe } from "../session.ts";
import { Copy } from "./copy.tsx";
import { Failure } from "./failure.tsx";
import { Payload } from "./payload.tsx";
import { SchemaForm } from "./schema-form.tsx";

interface Props {
  readonly operation: Operation;
  readonly document: Document;
}

export function TryCall({ operation, document }: Props): ComponentChild {
  const { method, parameters = [], requestBody, responses } = operation;
  const [values, setValues] = useState<Values>({});
  const [json, setJson] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<RawAnswer>();
  const [error, setError] = useState<ApiError>();
  const me = useMe();
  const roles = operation["x-roles"] ?? [];
  const mayCall = roles.length === 0 || !me || roles.includes(me.role);
  const address = addressOf(operation, values);
  const headers = headersOf(operation, values);
  const schema = requestBody?.content["application/json"]?.schema;
  // this answer continues as long as somebody listens
  const isEndless = Object.values(responses).some(({ content }) => content && "text/event-stream" in content);
  const call = async (): Promise<void> => {
    if (address === undefined || isBusy) return;
    if (operation["x-destroys"] && !confirm(`${operation.summary}: ${method} ${address}?`)) return;
    setBusy(true);
    try {
      setAnswer(await send(method, address, { headers, ...(json !== undefined && { json }) }));
      setError(undefined);
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const command = curlOf(method, location.origin + (address ?? operation.path), headers, json);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        inBackground(call)();
      }}
    >
      <div class="fields">
        {parameters.map((parameter) => (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            value={values[parameter.name] ?? ""}
            onChange={(text) => setValues((before) => ({ ...before, [parameter.name]: text }))}
          />
        ))}
      </div>
      {schema && (
        <fieldset class="fields">
          <legend>Body{requestBody?.required ? "" : " (may be left out)"}</legend>
          <SchemaForm
            schema={within(schema, document)}
            name="body"
            isRequired={requestBody?.required === true}
            onChange={setJson}
          />
        </fieldset>
      )}
      <div class="send">
        {!mayCall && <span class="hint">Your role ({me.role}) may not send this.</span>}
        {!isEndless && mayCall && (
          <button type="submit" class={operation["x-destroys"] ? "danger" : "primary"} aria-disabled={isBusy}>
            {isBusy ? "Sending…" : "Send"}
          </button>
        )}
        <code>{command}</code>
        <Copy text={command} what="the command" />
      </div>
      <Failure error={error} />
      {answer && <Answer answer={answer} />}
    </form>
  );
}

function ParameterField({
  parameter: { name, required, description, schema },
  value,
  onChange,
}: {
  readonly parameter: Parameter;
  readonly value: string;
  readonly onChange: (text: string) => void;
}): ComponentChild {
  const isList = schema["type"] === "array";
  const choices = Array.isArray(schema["enum"]) ? (schema["enum"] as readonly string[]) : undefined;
  return (
    <label class="field">
      <span>
        {name}
        {required && <span class="required"> required</span>}
      </span>
      {choices ? (
        <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">left out</option>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : isList ? (
        <textarea rows={2} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      ) : (
        <input type="text" required={required} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
      {description !== undefined && <small>{isList ? `${description}, one on each line` : description}</small>}
    </label>
  );
}

function Answer({
  answer: { status, statusText, type, body, isText, isCut },
}: {
  readonly answer: RawAnswer;
}): ComponentChild {
  const title = `${status} ${statusText}`.trim();
  return (
    <div role="status">
      <Payload title={title} value={body} isText={isText} />
      <p class="hint">
        {type}
        {isCut && "; only the beginning of a large answer is shown"}
      </p>
    </div>
  );
}
