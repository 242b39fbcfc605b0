import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { TaskSummary } from "../../core/api/task.ts";
import { commandLine } from "../command-line.ts";
import { reasonOf } from "../reason.ts";
import { isEnded } from "../standing.ts";
import { Order } from "./order.tsx";
import { SendSignal } from "./send-signal.tsx";

/** The actions that the task's current state allows. */
export function Actions({ task, onDone }: { readonly task: TaskSummary; readonly onDone: () => void }): ComponentChild {
  const { id, status, parked_reason } = task;
  const path = (order: string): string => `/tasks/${id}/${order}`;
  // While another branch runs, the task tells of no wait. A form that somebody types into stays until the task has ended.
  const [typed, setTyped] = useState<readonly string[]>([]);
  const [reason, setReason] = useState("");
  const { headers, words } = reasonOf(reason);
  const awaited = task.waiting_for.flatMap(({ kind, name }) => (kind === "signal" && name !== null ? [name] : []));
  const signals = isEnded(status) ? [] : [...new Set([...awaited, ...typed])].toSorted();
  return (
    <section class="actions" aria-label="What can be done">
      {status === "FAILED" && (
        <Order
          title="Retry"
          path={path("retry")}
          headers={headers}
          command={commandLine("retry-task", id, ...words)}
          isPrimary
          onDone={onDone}
        />
      )}
      {parked_reason !== null && (
        <Order
          title="Resume"
          path={path("resume")}
          headers={headers}
          command={commandLine("resume-task", id, ...words)}
          isPrimary
          onDone={onDone}
        />
      )}
      {signals.map((name) => (
        <SendSignal
          key={name}
          task={task}
          name={name}
          reason={{ headers, words }}
          onType={() => setTyped((before) => (before.includes(name) ? before : [...before, name]))}
          onDone={() => {
            setTyped((before) => before.filter((each) => each !== name));
            onDone();
          }}
        />
      ))}
      {!isEnded(status) && (
        <Order
          title="Cancel"
          path={path("cancel")}
          headers={headers}
          question="Cancel this task? Its cleanup runs, and then it has ended for good."
          command={commandLine("cancel-task", id, ...words)}
          onDone={onDone}
        />
      )}
      {!isEnded(status) && (parked_reason !== null || task.steps.some(({ doubt }) => doubt !== null)) && (
        <Order
          title="Cancel by force"
          path={path("cancel")}
          headers={headers}
          json={`{"force": true}`}
          question="End this task now, without its cleanup? What is left undone is listed afterwards."
          command={commandLine("cancel-task", id, "--force", ...words)}
          onDone={onDone}
        />
      )}
      {(status === "FAILED" || !isEnded(status)) && (
        <label class="reason-field hands">
          Reason, for the audit log
          <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
      )}
    </section>
  );
}
