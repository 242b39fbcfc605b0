// All tasks, the newest first, by the filters of the address.

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { ListedSummary } from "../../core/api/task.ts";
import { type ApiError, type Answer, get } from "../api.ts";
import { age, clockTime } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { inBackground } from "../in-background.ts";
import { Bulk } from "../parts/bulk.tsx";
import { Counts } from "../parts/counts.tsx";
import { Failure } from "../parts/failure.tsx";
import { State } from "../parts/state.tsx";
import { go, hrefOf } from "../router.ts";
import { standingOfTask } from "../standing.ts";

const PAGE = 50;

const STATUSES = ["PLANNED", "RUNNING", "WAITING_OBSERVATION", "COMPLETED", "FAILED", "CANCELLED"];

/** What is asked for most, each as the filters that it stands for. */
const PRESETS = [
  { title: "All", query: "" },
  { title: "Needs a person", query: "needs-person=true" },
  { title: "Failed today", query: "status=FAILED&finished-since=24h" },
  { title: "In flight", query: "status=PLANNED&status=RUNNING&status=WAITING_OBSERVATION" },
];

type Page = Answer<readonly ListedSummary[]>;

export function Tasks({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const now = useNow();
  const asked = query.toString();
  const { data, error } = useLive(asked, (signal) => get<readonly ListedSummary[]>(listPath(query), signal), {
    isTold: true,
    events: ({ flow_name }) => !query.has("flow") || query.getAll("flow").includes(flow_name),
  });
  return (
    <>
      <h1>Tasks</h1>
      <Counts />
      <nav class="presets" aria-label="Presets">
        {PRESETS.map((preset) => (
          <a
            key={preset.title}
            href={hrefOf(`/tasks${preset.query && `?${preset.query}`}`)}
            aria-current={asked === preset.query ? "true" : undefined}
          >
            {preset.title}
          </a>
        ))}
      </nav>
      <Filters key={asked} query={query} />
      {asked !== "" && <Bulk key={`bulk ${asked}`} query={query} />}
      <Failure error={error} />
      {data && data.body.length === 0 && (
        <p class="hint">{asked === "" ? "There is no task yet." : "No task matches."}</p>
      )}
      {data && data.body.length > 0 && <Pages key={asked} first={data} now={now} />}
    </>
  );
}

function listPath(query: URLSearchParams): string {
  const all = new URLSearchParams(query);
  all.set("view", "summary");
  all.set("limit", String(PAGE));
  return `/tasks?${all.toString()}`;
}

/** The first page is kept up to date; what was asked for beyond it stays as it came. */
function Pages({ first, now }: { readonly first: Page; readonly now: number }): ComponentChild {
  const [more, setMore] = useState<readonly Page[]>([]);
  const [error, setError] = useState<ApiError>();
  const [isLoading, setLoading] = useState(false);
  const shown = new Map([first, ...more].flatMap(({ body }) => body.map((task) => [task.id, task])));
  const next = (more.at(-1) ?? first).next;
  const loadMore = async (): Promise<void> => {
    if (next === undefined) return;
    setLoading(true);
    try {
      const page = await get<readonly ListedSummary[]>(next);
      // from now on the pages go on from the one that was first then
      setMore((pages) => [...(pages.length === 0 ? [first] : pages), page]);
      setError(undefined);
    } catch (thrown) {
      setError(thrown as ApiError);
    } finally {
      setLoading(false);
    }
  };
  return (
    <>
      <table class="tasks">
        <thead>
          <tr>
            <th>Task</th>
            <th>Flow</th>
            <th>State</th>
            <th class="wide">Step</th>
            <th class="wide">Error</th>
            <th>Created</th>
          </tr>
        </thead>
        <tbody>
          {[...shown.values()].map((task) => (
            <TaskRow key={task.id} task={task} now={now} />
          ))}
        </tbody>
      </table>
      <Failure error={error} />
      {next !== undefined && (
        <button type="button" disabled={isLoading} onClick={inBackground(loadMore)}>
          {isLoading ? "Loading…" : "Show older tasks"}
        </button>
      )}
    </>
  );
}

function TaskRow({ task, now }: { readonly task: ListedSummary; readonly now: number }): ComponentChild {
  const link = (
    <a class="id" href={hrefOf(`/tasks/${task.id}`)} title={task.id}>
      {task.id.slice(0, 13)}
    </a>
  );
  if ("damage" in task) {
    return (
      <tr>
        <td>{link}</td>
        <td colSpan={4}>
          <span class="state bad">DAMAGED</span> {task.damage}
        </td>
        <td>{age(task.created_at, now)}</td>
      </tr>
    );
  }
  const last = task.steps.at(-1);
  return (
    <tr>
      <td>{link}</td>
      <td>{task.flow_name}</td>
      <td>
        <State standing={standingOfTask(task, now)} />
      </td>
      <td class="wide">{last && `${task.current_step} of ${task.steps.length}: ${last.step_name}`}</td>
      <td class="wide cut" title={task.error_message ?? task.parked_reason ?? ""}>
        {task.error_message ?? task.parked_reason ?? ""}
      </td>
      <td title={clockTime(task.created_at)}>{age(task.created_at, now)}</td>
    </tr>
  );
}

function Filters({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const flows = useLive(
    "flows",
    async (signal) => (await get<readonly FlowDescription[]>("/flows", signal)).body,
    () => false,
  );
  const [tag, setTag] = useState(query.get("tag") ?? "");
  const [error, setError] = useState(query.get("error") ?? "");
  const set = (changes: Readonly<Record<string, string>>): void => {
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes)) {
      next.delete(name);
      if (value !== "") next.set(name, value);
    }
    go(`/tasks${next.size > 0 ? `?${next.toString()}` : ""}`);
  };
  useEffect(() => setTag(query.get("tag") ?? ""), [query]);
  const names = new Set([...(flows.data?.map(({ name }) => name) ?? []), ...query.getAll("flow")]);
  return (
    <form
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        set({ tag, error });
      }}
    >
      <label>
        Flow
        <select value={query.get("flow") ?? ""} onChange={(event) => set({ flow: event.currentTarget.value })}>
          <option value="">any</option>
          {[...names].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Status
        <select
          value={query.getAll("status").length === 1 ? (query.get("status") ?? "") : ""}
          onChange={(event) => set({ status: event.currentTarget.value })}
        >
          <option value="">{query.getAll("status").length > 1 ? query.getAll("status").join(", ") : "any"}</option>
          {STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </label>
      <label>
        Tag
        <input placeholder="customer=c1" value={tag} onInput={(event) => setTag(event.currentTarget.value)} />
      </label>
      <label>
        Error holds
        <input placeholder="timeout" value={error} onInput={(event) => setError(event.currentTarget.value)} />
      </label>
      <button type="submit">Filter</button>
      {query.size > 0 && <a href={hrefOf("/tasks")}>Clear</a>}
    </form>
  );
}
