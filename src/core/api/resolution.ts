// The ways to settle a step in doubt, in the words that the command line and the API share.

import type { Resolution } from "./taskonaut.ts";

export const WAYS = ["output", "retry", "fail"] as const satisfies readonly Resolution["kind"][];

export type Way = (typeof WAYS)[number];

/** The ways that were asked for; just one is right. */
export function waysAsked(isAsked: (way: Way) => boolean): readonly Way[] {
  return WAYS.filter(isAsked);
}

/** `said`: what goes with the way; nothing goes with `retry`. */
export function resolutionOf(way: Way, said: { readonly output: unknown; readonly message: string }): Resolution {
  switch (way) {
    case "output":
      return { kind: "output", output: said.output };
    case "retry":
      return { kind: "retry" };
    case "fail":
      return { kind: "fail", message: said.message };
  }
}
