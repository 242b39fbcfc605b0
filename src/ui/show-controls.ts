// Whatever text a page shows passes here: what others wrote may hold controls that nobody sees, and bidirectional ones that
// turn it around. Fields keep what is typed.

import { options, type VNode } from "preact";
import { showInPage } from "../core/visible.ts";

/** Attributes that are read as text. */
const TEXTS = ["title", "aria-label", "label", "placeholder", "alt"] as const;

/** From now on, for every element and every text that is made. */
export function showControlsInPage(): void {
  const before = options.vnode?.bind(options);
  options.vnode = (vnode: VNode) => {
    const made = vnode as { readonly type: unknown; props: unknown };
    // a text has neither type nor props of its own
    if (typeof made.props === "string") made.props = showInPage(made.props);
    else if (typeof made.type === "string") showInAttributes(made.props as Record<string, unknown>);
    before?.(vnode);
  };
}

function showInAttributes(props: Record<string, unknown>): void {
  for (const name of TEXTS) {
    const text = props[name];
    if (typeof text === "string") props[name] = showInPage(text);
  }
}
