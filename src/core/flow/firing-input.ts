// What the input of a schedule says of the time that it is made for: `{{firing.time}}` and `{{firing.date}}` in its texts.
// Each firing fills them in, so the input that is recorded has them, and whoever runs the task, whenever, sees the same.

import { suggest } from "../nearest.ts";
import { wallTime } from "../next-firing.ts";

export interface FiringMoment {
  /** The nominal time, without the jitter and however late it is. Of a trigger: when that came. */
  readonly at: number;
  readonly timeZone: string;
}

const WORDS: Readonly<Record<string, (moment: FiringMoment) => string>> = {
  time: ({ at }) => new Date(at).toISOString(),
  date: ({ at, timeZone }) => wallTime(at, timeZone).slice(0, 10),
};

const PLACE = /\{\{\s*firing\.([\w.]*)\s*\}\}/gu;

/** The input, with the time in the place of the words for it. What stands in other braces is nobody's here. */
export function fillFiring(input: unknown, moment: FiringMoment): unknown {
  if (typeof input === "string") {
    if (!input.includes("{{")) return input;
    return input.replaceAll(
      PLACE,
      (whole, word: string) => (Object.hasOwn(WORDS, word) ? WORDS[word]?.(moment) : undefined) ?? whole,
    );
  }
  if (typeof input !== "object" || input === null) return input;
  if (Array.isArray(input)) return input.map((each) => fillFiring(each, moment));
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, fillFiring(value, moment)]));
}

/** What is wrong with the words in it: it goes on after what they stand in. Undefined: nothing. */
export function faultOfFiringWords(input: unknown): string | undefined {
  if (typeof input === "string") {
    for (const [whole, word = ""] of input.matchAll(PLACE)) {
      if (Object.hasOwn(WORDS, word)) continue;
      const known = Object.keys(WORDS);
      const hint = suggest(word, known) || ".";
      return `has ${whole}, which no firing fills in${hint} There are ${known.map((name) => `{{firing.${name}}}`).join(" and ")}`;
    }
    return undefined;
  }
  if (typeof input !== "object" || input === null) return undefined;
  for (const value of Object.values(input)) {
    const fault = faultOfFiringWords(value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
