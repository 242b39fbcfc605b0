import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { StepSummary, TaskSummary } from "../../core/api/task.ts";
import { commandLine } from "../command-line.ts";
import { Order } from "./order.tsx";

interface Props {
  readonly task: Pick<TaskSummary, "id">;
  readonly step: StepSummary;
  readonly onDone: () => void;
}

/** Nobody knows whether the step's effect happened, so a person checks, and says what the result was. */
export function Settle({ task, step, onDone }: Props): ComponentChild {
  const [output, setOutput] = useState("");
  const [message, setMessage] = useState("");
  const path = `/tasks/${task.id}/resolve`;
  const command = (...way: readonly string[]): string =>
    commandLine("resolve", task.id, "--step", String(step.step_index), ...way);
  const index = step.step_index;
  return (
    <fieldset class="card">
      <legend>How did it end?</legend>
      <label>
        It happened, with this output (JSON)
        <textarea rows={3} value={output} onInput={(event) => setOutput(event.currentTarget.value)} />
      </label>
      <Order
        title="It happened"
        path={path}
        json={`{"step": ${index}, "output": ${output.trim() === "" ? "null" : output}}`}
        command={command("--output", output)}
        onDone={onDone}
      />
      <Order
        title="It did not: try again"
        path={path}
        json={`{"step": ${index}, "retry": true}`}
        question="Call the tool again? Do this only if the effect did not happen."
        command={command("--retry")}
        onDone={onDone}
      />
      <label>
        It failed, with this message
        <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
      </label>
      <Order
        title="It failed"
        path={path}
        json={JSON.stringify({ step: index, fail: message })}
        command={command("--fail", message)}
        onDone={onDone}
      />
    </fieldset>
  );
}
