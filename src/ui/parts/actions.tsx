import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { TaskSummary } from "../../core/api/task.ts";
import { commandLine } from "../command-line.ts";
import { isEnded } from "../standing.ts";
import { Order } from "./order.tsx";
import { SendSignal } from "./send-signal.tsx";

/** The actions that the task's current state allows. */
export function Actions({ task, onDone }: { readonly task: TaskSummary; readonly onDone: () => void }): ComponentChild {
  const { id, status, parked_reason } = task;
  const path = (order: string): string => `/tasks/${id}/${order}`;
  // While another branch runs, the task tells of no wait. A form that somebody types into stays until the task has ended.
  const [typed, setTyped] = useState<readonly string[]>([]);
  const awaited = task.waiting_for.flatMap(({ kind, name }) => (kind === "signal" && name !== null ? [name] : []));
  const signals = isEnded(status) ? [] : [...new Set([...awaited, ...typed])].toSorted();
  return (
    <section class="actions" aria-label="What can be done">
      {status === "FAILED" && (
        <Order title="Retry" path={path("retry")} command={commandLine("retry-task", id)} isPrimary onDone={onDone} />
      )}
      {parked_reason !== null && (
        <Order
          title="Resume"
          path={path("resume")}
          command={commandLine("resume-task", id)}
          isPrimary
          onDone={onDone}
        />
      )}
      {signals.map((name) => (
        <SendSignal
          key={name}
          task={task}
          name={name}
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
          question="Cancel this task? Its cleanup runs, and then it has ended for good."
          command={commandLine("cancel-task", id)}
          onDone={onDone}
        />
      )}
      {!isEnded(status) && (parked_reason !== null || task.steps.some(({ doubt }) => doubt !== null)) && (
        <Order
          title="Cancel by force"
          path={path("cancel")}
          json={`{"force": true}`}
          question="End this task now, without its cleanup? What is left undone is listed afterwards."
          command={commandLine("cancel-task", id, "--force")}
          onDone={onDone}
        />
      )}
    </section>
  );
}
