// The user of this page, and what the user's role may do. The server decides; the page hides what it would refuse.

import { effect, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { mayDo, type Permission } from "../core/api/roles.ts";
import type { SessionFacts } from "../core/api/sessions.ts";
import { ApiError, get, post, wantsToken } from "./api.ts";

/** Undefined: the user is not known yet, or not logged in. */
const me = signal<SessionFacts | undefined>(undefined);

/** The same for a component, which renders again when the user changes. */
export function useMe(): SessionFacts | undefined {
  const [facts, setFacts] = useState(me.value);
  useEffect(() => effect(() => setFacts(me.value)), []);
  return facts;
}

/** Who acts, where the server does not know: undefined for a user that it knows by a token. */
export function useBy(): string | undefined {
  const facts = useMe();
  return facts === undefined || facts.by === "open" ? "the dashboard" : undefined;
}

export function may(permission: Permission): boolean {
  return me.value !== undefined && mayDo(me.value.role, permission);
}

/** If the server requires a token, the login form appears. If it does not answer, another part says so. */
export async function askWhoIAm(): Promise<void> {
  try {
    become((await get<SessionFacts>("/session")).body);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Texts that were typed into the views stay. Throws ApiError. */
export async function logIn(token: string): Promise<void> {
  const facts = await post<SessionFacts>("/session", JSON.stringify({ token }));
  wantsToken.value = false;
  become(facts);
  // views with refused requests repeat them
  document.dispatchEvent(new Event("visibilitychange"));
}

/** Removes all data from the page. Throws ApiError. */
export async function logOut(): Promise<void> {
  await post("/session/end");
  location.reload();
}

/** The style sheet hides what this role may not do (`style.css`). What another user saw goes with the page. */
function become(facts: SessionFacts): void {
  const before = me.value;
  me.value = facts;
  // until now everybody was the same: what was typed then stays
  if (before && before.by !== "open" && JSON.stringify(before) !== JSON.stringify(facts)) location.reload();
  const { dataset } = document.documentElement;
  for (const permission of ["create", "operate", "administer"] as const) {
    if (mayDo(facts.role, permission)) dataset[permission] = "";
    else delete dataset[permission];
  }
}
