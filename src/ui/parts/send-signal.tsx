import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { useLive } from "../live.ts";
import { Order } from "./order.tsx";
import { SchemaForm } from "./schema-form.tsx";

interface Props {
  readonly task: Pick<TaskSummary, "id" | "flow_name">;
  readonly name: string;
  readonly onDone: () => void;
}

/** A form for the signal's own schema. If its flow is not known here, a field for JSON. */
export function SendSignal({ task, name, onDone }: Props): ComponentChild {
  const path = `/flows/${encodeURIComponent(task.flow_name)}`;
  const { data, error } = useLive(
    path,
    async (signal) => (await get<FlowDescription>(path, signal)).body,
    () => false,
  );
  const [json, setJson] = useState<string>();
  const payload = json === undefined || json === "null" ? [] : ["--payload", json];
  return (
    <fieldset class="card">
      <legend>Signal {name}</legend>
      {(data ?? error) && <SchemaForm schema={data?.signals[name] ?? {}} name={name} onChange={setJson} />}
      <Order
        title={`Send ${name}`}
        path={`/tasks/${task.id}/signals/${encodeURIComponent(name)}`}
        json={json}
        command={commandLine("signal-task", task.id, name, ...payload)}
        isPrimary
        onDone={onDone}
      />
    </fieldset>
  );
}
