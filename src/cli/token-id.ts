// Finds the token that a person means with a name, an id, the beginning of an id, or a secret. An error never repeats a
// secret: terminals and logs keep it.

import type { Token } from "../core/api/tokens.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { TaskonautError, type Violation } from "../core/errors.ts";
import { suggest } from "../core/nearest.ts";
import { usageError } from "./usage.ts";

/** A shorter beginning may be a mistyped name. */
const BEGINNING_MIN = 4;

/** The error names at most this many tokens. */
const TOLD_MAX = 10;

/** The whole id. Throws token_not_found, and usage if several tokens are meant. */
export async function findTokenId(taskonaut: Pick<Taskonaut, "tokens">, text: string): Promise<string> {
  const known = await taskonaut.tokens.list();
  // of a secret only the id counts: whoever has found one wants to end it
  const named = /^tkn_([a-z0-9]+)(?:_|$)/.exec(text)?.[1] ?? text;
  const exact = known.find(({ id }) => id === named);
  if (exact) return exact.id;
  const ofName = known.filter(({ name }) => name === named);
  const active = ofName.filter(({ state }) => state === "active");
  const [found, other] = active.length > 0 ? active : ofName;
  if (other) throw ambiguous(`several tokens are called ${JSON.stringify(named)}: give the id of one`, ofName);
  if (found) return found.id;
  const begun = named.length < BEGINNING_MIN ? [] : known.filter(({ id }) => id.startsWith(named));
  const [first, second] = begun;
  if (second) throw ambiguous(`the ids of several tokens begin with ${named}: type more of one`, begun);
  if (first) return first.id;
  const names = [...new Set(known.map(({ name }) => name))];
  const what = text === named ? JSON.stringify(named) : `with the id ${named}`;
  throw new TaskonautError("token_not_found", `There is no token ${what}${suggest(named, names) || "."}`, {
    details: { id: named },
  });
}

function ambiguous(message: string, tokens: readonly Token[]): TaskonautError {
  const shown = tokens
    .slice(0, TOLD_MAX)
    .map(({ id, name, role, state }): Violation => ({ path: id, message: `${name}, ${role}, ${state}` }));
  return usageError([{ path: "", message }, ...shown]);
}
