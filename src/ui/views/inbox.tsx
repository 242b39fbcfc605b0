// What waits for a person: signals to be sent, doubts to be settled, tasks that are parked.

import type { ComponentChild } from "preact";
import type { ListedSummary, TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { age } from "../format.ts";
import { TOLD, useLive, useNow } from "../live.ts";
import { Failure } from "../parts/failure.tsx";
import { SendSignal } from "../parts/send-signal.tsx";
import { State } from "../parts/state.tsx";
import { hrefOf } from "../router.ts";
import { standingOfTask } from "../standing.ts";

const PAGE = 50;

export function Inbox(): ComponentChild {
  const now = useNow();
  const { data, error, refresh } = useLive(
    "inbox",
    (signal) => get<readonly ListedSummary[]>(`/tasks?needs-person=true&view=summary&limit=${PAGE}`, signal),
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
          <a href={hrefOf("/tasks?needs-person=true")}>There are more than {PAGE}: show all</a>
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
        <a href={hrefOf(`/tasks/${task.id}`)}>{task.flow_name}</a> <State standing={standingOfTask(task, now)} />
        <small>{age(task.created_at, now)}</small>
      </h2>
      {task.parked_reason !== null && <p class="reason person">{task.parked_reason}</p>}
      {doubts.map((step) => (
        <p key={step.id} class="reason person">
          {step.doubt} <a href={hrefOf(`/tasks/${task.id}?step=${step.step_index}`)}>Settle {step.step_name}</a>
        </p>
      ))}
      {[...new Set(signals)].map((name) => (
        <SendSignal key={name} task={task} name={name} onDone={onDone} />
      ))}
    </article>
  );
}
