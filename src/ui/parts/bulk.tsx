// Acts on all tasks that match the filters of the address: shows how many, then starts the operation, which is a task.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { BULK_ACTIONS, type BulkAction, type BulkPreview } from "../../core/api/bulk.ts";
import type { Task } from "../../core/api/task.ts";
import { ApiError, post } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { inBackground } from "../in-background.ts";
import { reasonOf } from "../reason.ts";
import { go, hrefOf } from "../router.ts";
import { Copy } from "./copy.tsx";
import { Failure } from "./failure.tsx";

export function Bulk({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const [action, setAction] = useState<BulkAction>();
  const [preview, setPreview] = useState<BulkPreview>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const [signal, setSignal] = useState("");
  const [payload, setPayload] = useState("");
  const [reason, setReason] = useState("");
  const ask = async <Body,>(what: BulkAction, token?: string): Promise<Body | undefined> => {
    setBusy(true);
    try {
      const { headers } = reasonOf(token === undefined ? "" : reason);
      const answer = await post<Body>("/bulk", bodyOf(what, { query, signal, payload, token }), headers);
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
  const show = async (what: BulkAction): Promise<void> => {
    setPreview(await ask<BulkPreview>(what));
  };
  const start = async (): Promise<void> => {
    if (!preview || isBusy) return;
    const task = await ask<Task>(preview.action, preview.token);
    if (task) go(`/tasks/${task.id}${preview.more ? "" : `?all=${preview.tasks}`}`);
  };
  const choose = (what: BulkAction): void => {
    if (isBusy) return;
    setAction(what);
    setPreview(undefined);
    setError(undefined);
    if (what !== "signal") inBackground(() => show(what))();
  };
  return (
    <section class="bulk" aria-label="All that match">
      <span class="hint">All that match:</span>
      {BULK_ACTIONS.map((each) => (
        <button
          key={each}
          type="button"
          aria-disabled={isBusy}
          aria-expanded={each === action && preview !== undefined}
          onClick={() => choose(each)}
        >
          {titleOf(each)}…
        </button>
      ))}
      {action === "signal" && (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (!isBusy) inBackground(() => show("signal"))();
          }}
        >
          <label>
            Signal
            <input required value={signal} onInput={(event) => setSignal(event.currentTarget.value)} />
          </label>
          <label class="grows">
            Payload (JSON; empty: null)
            <input value={payload} onInput={(event) => setPayload(event.currentTarget.value)} />
          </label>
          <button type="submit" aria-disabled={isBusy}>
            Preview
          </button>
        </form>
      )}
      <Failure error={error} />
      {preview && (
        <Preview
          preview={preview}
          isBusy={isBusy}
          command={commandOf(preview.action, { query, signal, payload, reason })}
          reason={reason}
          onReason={setReason}
          onStart={start}
          onLeave={() => setPreview(undefined)}
        />
      )}
    </section>
  );
}

interface PreviewProps {
  readonly preview: BulkPreview;
  readonly isBusy: boolean;
  readonly command: string;
  readonly reason: string;
  readonly onReason: (typed: string) => void;
  readonly onStart: () => Promise<void>;
  readonly onLeave: () => void;
}

function Preview({ preview, isBusy, command, reason, onReason, onStart, onLeave }: PreviewProps): ComponentChild {
  const { action, tasks, more, sample } = preview;
  return (
    <div class="card preview" role="group" aria-label="Before it starts">
      <p>
        <strong>
          {more ? "More than " : ""}
          {tasks.toLocaleString()} {tasks === 1 ? "task" : "tasks"}
        </strong>{" "}
        would be {DONE[action]}
        {sample.length > 0 && ", among them"}
      </p>
      <ul class="plain">
        {sample.map(({ id, flow_name, status }) => (
          <li key={id}>
            <a class="id" href={hrefOf(`/tasks/${id}`)}>
              {id}
            </a>{" "}
            {flow_name} {status}
          </li>
        ))}
      </ul>
      {tasks > 0 && (
        <label class="reason-field">
          Reason, for the audit log
          <input value={reason} onInput={(event) => onReason(event.currentTarget.value)} />
        </label>
      )}
      <div class="order">
        {tasks > 0 && (
          <button type="button" class="danger" aria-disabled={isBusy} onClick={inBackground(onStart)}>
            {titleOf(action)} {more ? "all of them" : tasks.toLocaleString()}
          </button>
        )}
        <button type="button" onClick={onLeave}>
          Leave it
        </button>
        <code>{command}</code>
        <Copy text={command} what="the command" />
      </div>
    </div>
  );
}

const DONE: Readonly<Record<BulkAction, string>> = {
  cancel: "cancelled",
  retry: "retried",
  resume: "resumed",
  signal: "sent the signal",
  delete: "deleted for good",
};

function titleOf(action: BulkAction): string {
  return action.charAt(0).toUpperCase() + action.slice(1);
}

interface Given {
  readonly query: URLSearchParams;
  readonly signal: string;
  /** JSON as the user typed it. */
  readonly payload: string;
  readonly token?: string | undefined;
  readonly reason?: string;
}

/** Each filter with all its values. The payload stays as the user typed it. */
function bodyOf(action: BulkAction, { query, signal, payload, token }: Given): string {
  const filter = Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
  const body = JSON.stringify({ action, filter, token });
  if (action !== "signal") return body;
  const given = payload.trim() === "" ? "null" : payload;
  return `${body.slice(0, -1)}, "signal": {"name": ${JSON.stringify(signal)}, "payload": ${given}}}`;
}

function commandOf(action: BulkAction, { query, signal, payload, reason = "" }: Given): string {
  const flags = [...query].flatMap(([name, value]) => (value === "true" ? [`--${name}`] : [`--${name}`, value]));
  const what = action === "signal" ? [signal, ...(payload.trim() === "" ? [] : ["--payload", payload])] : [];
  return commandLine(`${action}-tasks`, ...what, ...flags, ...reasonOf(reason).words);
}
