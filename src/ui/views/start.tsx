// Starts a task of a flow, by a form made of the flow's input schema.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { Task } from "../../core/api/task.ts";
import { ApiError, get, post } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { useLive } from "../live.ts";
import { inBackground } from "../in-background.ts";
import { Copy } from "../parts/copy.tsx";
import { Failure } from "../parts/failure.tsx";
import { SchemaForm } from "../parts/schema-form.tsx";
import { go, hrefOf } from "../router.ts";

export function Start({ flow: chosen }: { readonly flow: string | undefined }): ComponentChild {
  const { data: flows, error } = useLive(
    "flows",
    async (signal) => (await get<readonly FlowDescription[]>("/flows", signal)).body,
    () => false,
  );
  const flow = flows?.find(({ name }) => name === chosen);
  return (
    <>
      <h1>Start a task</h1>
      <Failure error={error} />
      <ul class="flows">
        {flows?.map(({ name, description }) => (
          <li key={name}>
            <a href={hrefOf(`/start/${encodeURIComponent(name)}`)} aria-current={name === chosen ? "true" : undefined}>
              {name}
            </a>
            <small>{description}</small>
          </li>
        ))}
      </ul>
      {flows && chosen !== undefined && !flow && <p>This server has no flow “{chosen}”.</p>}
      {flow && <StartForm key={flow.name} flow={flow} />}
    </>
  );
}

function StartForm({ flow }: { readonly flow: FlowDescription }): ComponentChild {
  const [json, setJson] = useState<string | undefined>("{}");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  // one key per form: a second click, or one after a lost answer, finds the first one's task
  const [key] = useState(() => crypto.randomUUID());
  const [attempt, setAttempt] = useState("");
  const start = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    try {
      const body = json ?? "{}";
      const task = await create(flow.name, body, attempt === body ? key : crypto.randomUUID());
      setAttempt(body);
      go(`/tasks/${task.id}`);
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const command = commandLine("run-flow", flow.name, "--input", json ?? "{}");
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        inBackground(start)();
      }}
    >
      <h2>{flow.name}</h2>
      <SchemaForm schema={flow.input_schema} name="input" onChange={setJson} />
      <Failure error={error} />
      <div class="order creates">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? "Starting…" : "Start"}
        </button>
        <code>{command}</code>
        <Copy text={command} what="the command" />
      </div>
    </form>
  );
}

/** Puts the task in the queue, for a worker. */
async function create(flow: string, json: string, key: string): Promise<Task> {
  return post<Task>(`/flows/${encodeURIComponent(flow)}/tasks?start=now`, json, { "idempotency-key": key });
}
