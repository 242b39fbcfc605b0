// Everything that waits for a person: signals to send, steps in doubt to settle, parked tasks.

import type { ComponentChild } from "preact";
import { standingOf } from "../../core/api/standing.ts";
import type { TaskSummary } from "../../core/api/task.ts";
import { commandLine } from "../command-line.ts";
import { age, shortId } from "../format.ts";
import { TOLD, useLive, useNow } from "../live.ts";
import { Failure } from "../parts/failure.tsx";
import { Order } from "../parts/order.tsx";
import { SendSignal } from "../parts/send-signal.tsx";
import { Settle } from "../parts/settle.tsx";
import { State } from "../parts/state.tsx";
import { readPage } from "../read-page.ts";
import { hrefOf } from "../router.ts";

const PAGE = 50;

export function Inbox(): ComponentChild {
  const now = useNow();
  const { data, error, refresh } = useLive(
    "inbox",
    (signal) => readPage(`/tasks?needs-person=true&view=summary&steps=none&limit=${PAGE}`, PAGE, signal),
    TOLD,
  );
  const tasks = data?.body.flatMap((task) => ("damage" in task ? [] : [task])) ?? [];
  return (
    <>
      <h1>Inbox</h1>
      <Failure error={error} />
      {data && tasks.length === 0 && <p class="hint">Nothing waits for a person.</p>}
      {tasks.map((task) => (
        <Item key={task.id} task={task} now={now} onDone={refresh} />
      ))}
      {data?.next !== undefined && (
        <p>
          <a href={hrefOf("/tasks?needs-person=true")}>There are more: show all</a>
        </p>
      )}
    </>
  );
}

interface ItemProps {
  readonly task: TaskSummary;
  readonly now: number;
  readonly onDone: () => void;
}

function Item({ task, now, onDone }: ItemProps): ComponentChild {
  const signals = task.waiting_for.flatMap(({ kind, name }) => (kind === "signal" && name !== null ? [name] : []));
  const doubts = task.steps.filter(({ doubt }) => doubt !== null);
  return (
    <article class="card">
      <h2>
        <a href={hrefOf(`/tasks/${task.id}`)}>
          {task.flow_name} <span class="id">{shortId(task.id)}</span>
        </a>{" "}
        <State standing={standingOf(task, now)} />
        <small>{age(task.created_at, now)}</small>
      </h2>
      {task.parked_reason !== null && (
        <>
          <pre class="reason person">{task.parked_reason}</pre>
          <Order
            title="Resume"
            path={`/tasks/${task.id}/resume`}
            command={commandLine("resume-task", task.id)}
            isPrimary
            onDone={onDone}
          />
        </>
      )}
      {doubts.map((step) => (
        <details key={step.id}>
          <summary>
            Settle step {step.step_index} {step.step_name}: {step.doubt}
          </summary>
          <Settle task={task} step={step} onDone={onDone} />
        </details>
      ))}
      {[...new Set(signals)].map((name) => (
        <SendSignal key={name} task={task} name={name} onDone={onDone} />
      ))}
    </article>
  );
}
