// The filters of the address: each can be removed, and others added, with the same names as on the command line.

import type { ComponentChild } from "preact";
import { useRef, useState } from "preact/hooks";
import { FILTERS } from "../../core/api/task-filter.ts";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import { WAIT_KINDS } from "../../core/record/waits.ts";
import { get } from "../api.ts";
import { useLive } from "../live.ts";
import { go, hrefOf } from "../router.ts";

/** Filters with fixed choices, which a button adds: with the arrow keys a choice goes through all before it. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  status: ["PLANNED", "RUNNING", "WAITING_OBSERVATION", "COMPLETED", "FAILED", "CANCELLED"],
  priority: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};

/** Suggestions for filters that are typed, besides those of flows. */
const SUGGESTIONS: Readonly<Record<string, readonly string[]>> = { "waiting-for": WAIT_KINDS };

export function Filters({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const flows = useLive(
    "flows",
    async (signal) => (await get<readonly FlowDescription[]>("/flows", signal)).body,
    () => false,
  );
  const [name, setName] = useState("flow");
  const [value, setValue] = useState("");
  const kind = useRef<HTMLSelectElement>(null);
  const filter = FILTERS.find((each) => each.name === name);
  const choices = CHOICES[name];
  // A field for text from the beginning: it does not change its kind when the flows have come, and takes the flow of an
  // old task that this server does not know.
  const suggestions = name === "flow" ? flows.data?.map((flow) => flow.name) : SUGGESTIONS[name];
  const chosen = choices?.includes(value) ? value : "";
  const add = (given: string): void => {
    if (given.trim() === "") return;
    const next = new URLSearchParams(query);
    if (!filter?.repeatable) next.delete(name);
    if (!next.getAll(name).includes(given.trim())) next.append(name, given.trim());
    setValue("");
    goTo(next);
  };
  return (
    <div class="filters">
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          add(filter?.value === undefined ? "true" : choices ? chosen : value);
        }}
      >
        <label>
          Filter by
          <select ref={kind} value={name} onChange={(event) => setName(event.currentTarget.value)}>
            {FILTERS.map((each) => (
              <option key={each.name} value={each.name}>
                {each.name}
              </option>
            ))}
          </select>
        </label>
        {filter?.value !== undefined && choices && (
          <label>
            {filter.summary.replace(/; may be repeated.*/, "")}
            <select value={chosen} onChange={(event) => setValue(event.currentTarget.value)}>
              <option value="">choose…</option>
              {choices.map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
            </select>
          </label>
        )}
        {filter?.value !== undefined && !choices && (
          <label class="grows">
            {filter.summary}
            <input
              value={value}
              placeholder={filter.value}
              list={suggestions && "filter-values"}
              onInput={(event) => setValue(event.currentTarget.value)}
            />
          </label>
        )}
        {filter?.value === undefined && <span class="hint">{filter?.summary}</span>}
        <datalist id="filter-values">
          {suggestions?.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        <button type="submit">Add</button>
      </form>
      {query.size > 0 && (
        <ul class="chips" aria-label="Filters">
          {[...query].map(([key, text]) => (
            <li key={`${key} ${text}`} class="tag">
              {text === "true" ? key : `${key}: ${text}`}{" "}
              <button
                type="button"
                class="small"
                aria-label={`Without ${key} ${text}`}
                onClick={() => {
                  const next = new URLSearchParams(query);
                  next.delete(key, text);
                  // the button goes with its filter
                  kind.current?.focus();
                  goTo(next);
                }}
              >
                ✕
              </button>
            </li>
          ))}
          <li>
            <a href={hrefOf("/tasks")}>Clear</a>
          </li>
        </ul>
      )}
    </div>
  );
}

function goTo(query: URLSearchParams): void {
  go(`/tasks${query.size > 0 ? `?${query.toString()}` : ""}`);
}
