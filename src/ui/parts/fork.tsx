import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { ForkPreview } from "../../core/api/forks.ts";
import type { Task } from "../../core/api/task.ts";
import { ApiError, post } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { inBackground } from "../in-background.ts";
import { go } from "../router.ts";
import { Failure } from "./failure.tsx";
import { Order } from "./order.tsx";

interface Props {
  readonly id: string;
  /** The step_index of the first step that the fork does not take over. */
  readonly from: number;
}

/** Makes a new task from this step on, after it has shown what would happen again. */
export function Fork({ id, from }: Props): ComponentChild {
  const [input, setInput] = useState("");
  const [shown, setShown] = useState<ForkPreview>();
  const [error, setError] = useState<ApiError>();
  // the preview shows the keys that the new task will use
  const [key] = useState(() => crypto.randomUUID());
  const path = `/tasks/${id}/fork`;
  const rest = input.trim() === "" ? "" : `, "input": ${input}`;
  const preview = async (): Promise<void> => {
    try {
      setShown(await post<ForkPreview>(path, `{"from": ${from}${rest}, "dry_run": true}`, { "idempotency-key": key }));
      setError(undefined);
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setShown(undefined);
      setError(thrown);
    }
  };
  const flags = input.trim() === "" ? [] : ["--input", input];
  return (
    <details class="hands">
      <summary>Fork: a new task from this step on</summary>
      <label>
        Another input (JSON; empty: the same)
        <textarea
          rows={2}
          spellcheck={false}
          value={input}
          onInput={(event) => {
            setInput(event.currentTarget.value);
            setShown(undefined);
          }}
        />
      </label>
      <button type="button" onClick={inBackground(preview)}>
        Show what would happen again
      </button>
      <Failure error={error} />
      {shown && (
        <div class="preview">
          <p>
            It takes over {shown.shared_steps} {shown.shared_steps === 1 ? "step" : "steps"}.{" "}
            {shown.effects.length === 0 ? "Nothing that was done happens again." : "What happens again:"}
          </p>
          <ul>
            {shown.effects.map(({ step_index: index, step_name: name, execution, kind }) => (
              <li key={index}>
                {index} {name} <small>{kind === "child" ? "child" : execution}</small>
              </li>
            ))}
          </ul>
          <Order
            title="Fork"
            path={`${path}?start=now`}
            json={`{"from": ${from}${rest}}`}
            headers={{ "idempotency-key": key }}
            command={commandLine("fork-task", id, "--from", String(from), ...flags, "--mode", "enqueue", "--yes")}
            isPrimary
            onDone={(task) => go(`/tasks/${(task as Task).id}`)}
          />
        </div>
      )}
    </details>
  );
}
