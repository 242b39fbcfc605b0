// The frame of every view: navigation, the state of the connection, and the current view.

import { effect } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { connection, isSlow } from "./api.ts";
import { duration } from "./format.ts";
import { useNow } from "./live.ts";
import { Login, Who } from "./parts/login.tsx";
import { NotThere } from "./parts/not-there.tsx";
import { hrefOf, onLink, place, type Place } from "./router.ts";
import { Charts } from "./views/charts.tsx";
import { Audit } from "./views/audit.tsx";
import { Api } from "./views/api.tsx";
import { Flows } from "./views/flows.tsx";
import { Inbox } from "./views/inbox.tsx";
import { Limits } from "./views/limits.tsx";
import { Schedules } from "./views/schedules.tsx";
import { Start } from "./views/start.tsx";
import { TaskView } from "./views/task.tsx";
import { Tasks } from "./views/tasks.tsx";
import { Workers } from "./views/workers.tsx";

const VIEWS = [
  { name: "tasks", title: "Tasks" },
  { name: "inbox", title: "Inbox" },
  { name: "start", title: "Start" },
  { name: "flows", title: "Flows" },
  { name: "schedules", title: "Schedules" },
  { name: "limits", title: "Limits" },
  { name: "workers", title: "Workers" },
  { name: "charts", title: "Charts" },
  { name: "audit", title: "Audit" },
  { name: "api", title: "API" },
] as const;

export function App(): ComponentChild {
  const [at, setAt] = useState<Place>(place.value);
  useEffect(() => effect(() => setAt(place.value)), []);
  const [view = "tasks", id] = at.path;
  useEffect(() => {
    document.title = id ? `${id} – taskonaut` : `${VIEWS.find(({ name }) => name === view)?.title ?? view} – taskonaut`;
  }, [view, id]);
  // for screen readers and keyboards, focus moves to the top of the new view
  const shown = useRef(at.path.join("/"));
  useEffect(() => {
    const path = at.path.join("/");
    if (path !== shown.current) document.getElementById("main")?.focus({ preventScroll: true });
    shown.current = path;
  }, [at]);
  return (
    <div onClick={onLink}>
      <a class="skip" href="#main">
        To the content
      </a>
      <header class="bar">
        <a class="brand" href={hrefOf("/tasks")}>
          taskonaut
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ name, title }) => (
            <a key={name} href={hrefOf(`/${name}`)} aria-current={view === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <Who />
      </header>
      <Connection />
      <main id="main" tabIndex={-1}>
        <Login />
        {viewOf(view, id, at)}
      </main>
    </div>
  );
}

function viewOf(view: string, id: string | undefined, at: Place): ComponentChild {
  switch (view) {
    case "tasks":
      return id === undefined ? <Tasks query={at.query} /> : <TaskView key={id} id={id} query={at.query} />;
    case "inbox":
      return <Inbox />;
    case "start":
      return <Start key={id} flow={id} />;
    case "flows":
      return <Flows />;
    case "schedules":
      return <Schedules name={id} />;
    case "api":
      return <Api id={id} />;
    case "limits":
      return <Limits />;
    case "workers":
      return <Workers />;
    case "charts":
      return <Charts query={at.query} />;
    case "audit":
      return <Audit query={at.query} />;
    default:
      return (
        <NotThere title="Not found">
          <p>There is no view “{view}”.</p>
        </NotThere>
      );
  }
}

/** Shows a slow or lost connection. The views retry by themselves. */
function Connection(): ComponentChild {
  const [state, setState] = useState(connection.value);
  useEffect(() => effect(() => setState(connection.value)), []);
  const [slow, setSlow] = useState(isSlow.value);
  useEffect(() => effect(() => setSlow(isSlow.value)), []);
  const now = useNow();
  const isLost = state.state === "lost";
  // The region is there before it has a text, or a screen reader says nothing of it. Its text changes once, and the time
  // that passes stands beside it, or it would be read out every second.
  return (
    <div class={isLost || slow ? "lost" : undefined}>
      <span role="status">
        {isLost
          ? "The server does not answer. What is shown may be old; the page keeps trying."
          : slow && "The server takes long to answer. What is shown may be old."}
      </span>
      {isLost && <small aria-hidden="true">{duration(now - state.since)}</small>}
    </div>
  );
}
