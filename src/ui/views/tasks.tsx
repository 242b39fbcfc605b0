// All tasks that match the address's filters, the newest first.

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { standingOf } from "../../core/api/standing.ts";
import type { ListedSummary } from "../../core/api/task.ts";
import type { ApiError } from "../api.ts";
import { age, clockTime } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { inBackground } from "../in-background.ts";
import { Bulk } from "../parts/bulk.tsx";
import { Counts } from "../parts/counts.tsx";
import { Failure } from "../parts/failure.tsx";
import { Filters } from "../parts/filters.tsx";
import { State } from "../parts/state.tsx";
import { type Page, readPage } from "../read-page.ts";
import { hrefOf, place } from "../router.ts";

const PAGE = 50;

/** The most common choices, as filters. */
const PRESETS = [
  { title: "All", query: "" },
  { title: "Needs a person", query: "needs-person=true" },
  { title: "Failed today", query: "status=FAILED&finished-since=24h" },
  { title: "In flight", query: "status=PLANNED&status=RUNNING&status=WAITING_OBSERVATION" },
];

export function Tasks({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const now = useNow();
  const asked = query.toString();
  const { data, error } = useLive(asked, (signal) => readPage(listPath(query), PAGE, signal), {
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
      <Filters query={query} />
      {asked !== "" && <Bulk key={`bulk ${asked}`} query={query} />}
      <Failure error={error} />
      {data && data.body.length === 0 && (
        <p class="hint">
          {data.next !== undefined
            ? "None of the newest tasks matches."
            : asked === ""
              ? "There is no task yet."
              : "No task matches."}
        </p>
      )}
      {data && <Pages key={asked} asked={asked} first={data} now={now} />}
    </>
  );
}

function listPath(query: URLSearchParams): string {
  const all = new URLSearchParams(query);
  all.set("view", "summary");
  all.set("steps", "last");
  all.set("limit", String(PAGE));
  return `/tasks?${all.toString()}`;
}

/** The further pages of the last list, for whoever comes back to it from one of its tasks. */
let older: { readonly asked: string; readonly pages: readonly Page[] } | undefined;

interface PagesProps {
  /** The filters. */
  readonly asked: string;
  readonly first: Page;
  readonly now: number;
}

/** The first page is kept up to date. Further pages stay as they came. */
function Pages({ asked, first, now }: PagesProps): ComponentChild {
  const [more, setMore] = useState(() => (place.peek().isReturn && older?.asked === asked ? older.pages : []));
  useEffect(() => {
    older = { asked, pages: more };
  }, [asked, more]);
  const [error, setError] = useState<ApiError>();
  const [isLoading, setLoading] = useState(false);
  const shown = new Map([first, ...more].flatMap(({ body }) => body.map((task) => [task.id, task])));
  const next = (more.at(-1) ?? first).next;
  const loadMore = async (): Promise<void> => {
    if (next === undefined || isLoading) return;
    setLoading(true);
    try {
      const page = await readPage(next, PAGE);
      // further pages continue from what is the first page now
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
      {shown.size > 0 && (
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
      )}
      <Failure error={error} />
      {next !== undefined && (
        <button type="button" aria-disabled={isLoading} onClick={inBackground(loadMore)}>
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
        <State standing={standingOf(task, now)} />
      </td>
      <td class="wide">
        {last &&
          `${task.current_step.toLocaleString()} of ${(task.step_count ?? 0).toLocaleString()}: ${last.step_name}`}
      </td>
      <td class="wide cut" title={task.error_message ?? task.parked_reason ?? ""}>
        {task.error_message ?? task.parked_reason ?? ""}
      </td>
      <td title={clockTime(task.created_at)}>{age(task.created_at, now)}</td>
    </tr>
  );
}
