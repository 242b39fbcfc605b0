// Who looks at this page, and what that role may do. The server decides; the page only does not offer what it would refuse.

import { effect, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { mayDo, type Permission } from "../core/api/roles.ts";
import type { SessionFacts } from "../core/api/sessions.ts";
import { ApiError, get, post, wantsToken } from "./api.ts";

/** Undefined: nobody knows yet, or nobody is logged in. */
const me = signal<SessionFacts | undefined>(undefined);

/** The same for a component, which is drawn anew when somebody else looks. */
export function useMe(): SessionFacts | undefined {
  const [facts, setFacts] = useState(me.value);
  useEffect(() => effect(() => setFacts(me.value)), []);
  return facts;
}

export function may(permission: Permission): boolean {
  return me.value !== undefined && mayDo(me.value.role, permission);
}

/** Where the server wants a token, the form comes; where it does not answer, that is told elsewhere. */
export async function askWhoIAm(): Promise<void> {
  try {
    become((await get<SessionFacts>("/session")).body);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/** What was typed into the views stays there. Throws ApiError. */
export async function logIn(token: string): Promise<void> {
  const facts = await post<SessionFacts>("/session", JSON.stringify({ token }));
  wantsToken.value = false;
  become(facts);
  // views that were refused ask again
  document.dispatchEvent(new Event("visibilitychange"));
}

/** Nothing of what was shown stays. Throws ApiError. */
export async function logOut(): Promise<void> {
  await post("/session/end");
  location.reload();
}

/** The sheet hides what this role may not do (`style.css`). */
function become(facts: SessionFacts): void {
  me.value = facts;
  const { dataset } = document.documentElement;
  for (const permission of ["create", "operate", "administer"] as const) {
    if (mayDo(facts.role, permission)) dataset[permission] = "";
    else delete dataset[permission];
  }
}
