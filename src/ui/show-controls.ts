// All texts of a page pass through here. Texts from other people may contain invisible control characters, and
// bidirectional ones that reverse the text. Input fields keep what was typed.

import { options, type VNode } from "preact";
import { showInPage } from "../core/visible.ts";

/** Attributes that show text. */
const TEXTS = ["title", "aria-label", "label", "placeholder", "alt"] as const;

/** Applies to every element and text that is created from now on. */
export function showControlsInPage(): void {
  const before = options.vnode?.bind(options);
  options.vnode = (vnode: VNode) => {
    const made = vnode as { readonly type: unknown; props: unknown };
    // a plain text has neither type nor props
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
