// Everything that waits for a person: signals to send, steps in doubt to settle, parked tasks.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { standingOf } from "../../core/api/standing.ts";
import type { TaskSummary } from "../../core/api/task.ts";
import { commandLine } from "../command-line.ts";
import { age, shortId } from "../format.ts";
import { TOLD, useLive, useNow } from "../live.ts";
import { Damaged } from "../parts/damaged.tsx";
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
  const listed = data?.body.flatMap((task) => ("damage" in task ? [] : [task])) ?? [];
  const [typed, setTyped] = useState<ReadonlyMap<string, TaskSummary>>(new Map());
  const leave = (id: string): void => setTyped((before) => new Map([...before].filter(([each]) => each !== id)));
  const gone = data ? [...typed.values()].filter(({ id }) => !listed.some((task) => task.id === id)) : [];
  // where the tasks of the list stand does not depend on what was typed: a form that moves loses the focus
  const tasks = [...listed, ...gone].toSorted((a, b) => (newness(a) < newness(b) ? 1 : -1));
  return (
    <>
      <h1>Inbox</h1>
      <Failure error={error} />
      <Damaged of={data?.body.filter((task) => "damage" in task)} />
      {data && tasks.length === 0 && <p class="hint">Nothing waits for a person.</p>}
      {tasks.map((task) => (
        <Item
          key={task.id}
          task={task}
          now={now}
          isGone={gone.includes(task)}
          onType={() => setTyped((before) => new Map(before).set(task.id, task))}
          onLeave={() => leave(task.id)}
          onDone={() => {
            leave(task.id);
            refresh();
          }}
        />
      ))}
      {data?.next !== undefined && (
        <p>
          <a href={hrefOf("/tasks?needs-person=true")}>There are more: show all</a>
        </p>
      )}
    </>
  );
}

function newness({ created_at, id }: TaskSummary): string {
  return `${created_at} ${id}`;
}

interface ItemProps {
  readonly task: TaskSummary;
  readonly now: number;
  /** The list has the task no longer. It is here for what was typed. */
  readonly isGone: boolean;
  /** Called when something is typed. */
  readonly onType: () => void;
  readonly onLeave: () => void;
  readonly onDone: () => void;
}

function Item({ task, now, isGone, onType, onLeave, onDone }: ItemProps): ComponentChild {
  const signals = task.waiting_for.flatMap(({ kind, name }) => (kind === "signal" && name !== null ? [name] : []));
  const doubts = task.steps.filter(({ doubt }) => doubt !== null);
  return (
    <article class="card" onInput={onType}>
      <h2>
        <a href={hrefOf(`/tasks/${task.id}`)}>
          {task.flow_name} <span class="id">{shortId(task.id)}</span>
        </a>{" "}
        <State standing={standingOf(task, now)} />
        <small>{age(task.created_at, now)}</small>
      </h2>
      {isGone && (
        <p class="hint">
          It is not in the inbox any more: somebody has seen to it, or it goes on for now. What was typed stays here.{" "}
          <button type="button" class="small" onClick={onLeave}>
            Leave it
          </button>
        </p>
      )}
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
