// Acts on all tasks that match the filters of the address: first it is shown how many, then it is started, and is a task itself.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { BulkAction, BulkPreview } from "../../core/api/bulk.ts";
import type { Task } from "../../core/api/task.ts";
import { ApiError, post } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { inBackground } from "../in-background.ts";
import { go, hrefOf } from "../router.ts";
import { Copy } from "./copy.tsx";
import { Failure } from "./failure.tsx";

/** `signal` wants a payload, which the command line asks for. */
const ACTIONS = ["cancel", "retry", "resume", "delete"] as const satisfies readonly BulkAction[];

type Action = (typeof ACTIONS)[number];

export function Bulk({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const [preview, setPreview] = useState<BulkPreview & { readonly action: Action }>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const ask = async <Body,>(body: object): Promise<Body | undefined> => {
    setBusy(true);
    try {
      const answer = await post<Body>("/bulk", JSON.stringify(body));
      setError(undefined);
      return answer;
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  const filter = filterOf(query);
  const show = async (action: Action): Promise<void> => {
    const shown = await ask<BulkPreview>({ action, filter });
    if (shown) setPreview({ ...shown, action });
  };
  const start = async (): Promise<void> => {
    if (!preview) return;
    const task = await ask<Task>({ action: preview.action, filter, token: preview.token });
    if (task) go(`/tasks/${task.id}`);
  };
  return (
    <section class="bulk" aria-label="All that match">
      <span class="hint">All that match:</span>
      {ACTIONS.map((action) => (
        <button key={action} type="button" disabled={isBusy} onClick={inBackground(() => show(action))}>
          {titleOf(action)}…
        </button>
      ))}
      <Failure error={error} />
      {preview && (
        <div class="card preview" role="group" aria-label="Before it starts">
          <p>
            <strong>
              {preview.more ? "More than " : ""}
              {preview.tasks.toLocaleString()} {preview.tasks === 1 ? "task" : "tasks"}
            </strong>{" "}
            would be {DONE[preview.action]}
            {preview.sample.length > 0 && ", among them"}
          </p>
          <ul class="plain">
            {preview.sample.map(({ id, flow_name, status }) => (
              <li key={id}>
                <a class="id" href={hrefOf(`/tasks/${id}`)}>
                  {id}
                </a>{" "}
                {flow_name} {status}
              </li>
            ))}
          </ul>
          <div class="order">
            {preview.tasks > 0 && (
              <button type="button" class="danger" disabled={isBusy} onClick={inBackground(start)}>
                {titleOf(preview.action)} {preview.more ? "all of them" : preview.tasks.toLocaleString()}
              </button>
            )}
            <button type="button" onClick={() => setPreview(undefined)}>
              Leave it
            </button>
            <code>{commandOf(preview.action, query)}</code>
            <Copy text={commandOf(preview.action, query)} what="the command" />
          </div>
        </div>
      )}
    </section>
  );
}

const DONE: Readonly<Record<Action, string>> = {
  cancel: "cancelled",
  retry: "retried",
  resume: "resumed",
  delete: "deleted for good",
};

function titleOf(action: Action): string {
  return action.charAt(0).toUpperCase() + action.slice(1);
}

/** Each filter with all its values. */
function filterOf(query: URLSearchParams): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
}

function commandOf(action: Action, query: URLSearchParams): string {
  const flags = [...query].flatMap(([name, value]) => (value === "true" ? [`--${name}`] : [`--${name}`, value]));
  return commandLine(`${action}-tasks`, ...flags);
}
