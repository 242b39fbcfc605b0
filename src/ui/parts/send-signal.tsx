import type { ComponentChild } from "preact";
import { useRef, useState } from "preact/hooks";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { useLive } from "../live.ts";
import { type Reason, reasonOf } from "../reason.ts";
import { Order } from "./order.tsx";
import { SchemaForm } from "./schema-form.tsx";

interface Props {
  readonly task: Pick<TaskSummary, "id" | "flow_name">;
  readonly name: string;
  readonly reason?: Reason;
  /** Called when something is typed. */
  readonly onType?: () => void;
  readonly onDone: () => void;
}

/**
 * A form for the signal's own schema. If its flow is not known here, a field for JSON. Once something was typed the form
 * stays as it is, also if the flow is loaded or changed meanwhile.
 */
export function SendSignal({ task, name, reason = reasonOf(""), onType, onDone }: Props): ComponentChild {
  const path = `/flows/${encodeURIComponent(task.flow_name)}`;
  const { data, error } = useLive(
    path,
    async (signal) => (await get<FlowDescription>(path, signal)).body,
    () => false,
  );
  const [json, setJson] = useState<string>();
  // a failure that passes says nothing of the flow
  const found = data ? (data.signals[name] ?? {}) : error && !error.mayPass && error.status !== 401 ? {} : undefined;
  const [isTyped, setTyped] = useState(false);
  const shown = useRef(found);
  if (!isTyped && found) shown.current = found;
  const payload = json === undefined || json === "null" ? [] : ["--payload", json];
  return (
    <fieldset
      class="card"
      onInput={() => {
        setTyped(true);
        onType?.();
      }}
    >
      <legend>Signal {name}</legend>
      {shown.current && <SchemaForm schema={shown.current} name={name} onChange={setJson} />}
      <Order
        title={`Send ${name}`}
        path={`/tasks/${task.id}/signals/${encodeURIComponent(name)}`}
        json={json}
        headers={reason.headers}
        command={commandLine("signal-task", task.id, name, ...payload, ...reason.words)}
        isPrimary
        onDone={onDone}
      />
    </fieldset>
  );
}
