// The current place. The address is the state, so that users can share it, reload it, and go back.

import { signal } from "@preact/signals";
import { keepPlace } from "./scroll-place.ts";

const BASE = "/ui";

export interface Place {
  /** The parts below /ui: `["tasks", "<id>"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** The user has come back to it, or forward again. */
  readonly isReturn: boolean;
}

export const place = signal<Place>(read(false));

addEventListener("popstate", () => {
  place.value = read(true);
});

/** `/tasks?flow=order` → the address for a link. */
export function hrefOf(to: string): string {
  return BASE + to;
}

export function go(to: string, { replace = false } = {}): void {
  const href = hrefOf(to);
  if (href === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, "", href);
  else {
    keepPlace();
    history.pushState(null, "", href);
  }
  place.value = read(false);
  if (!replace) scrollTo(0, 0);
}

/** Handles a click that the browser would follow in this tab. */
export function onLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element).closest("a");
  if (
    !link ||
    link.target !== "" ||
    link.hash !== "" ||
    link.origin !== location.origin ||
    !link.pathname.startsWith(BASE)
  )
    return;
  event.preventDefault();
  go(link.pathname.slice(BASE.length) + link.search);
}

function read(isReturn: boolean): Place {
  const path = location.pathname
    .slice(BASE.length)
    .split("/")
    .filter((part) => part !== "");
  return { path: path.map(decoded), query: new URLSearchParams(location.search), isReturn };
}

/** A part that is no URL encoding stays as it is, and the view says that there is nothing by this name. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
