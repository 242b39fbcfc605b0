// Texts for people: the forms that depend on the language or the time zone of the machine are refused; those that say them
// (`toLocaleString("en")`) pass.

import { GIVE_LOCALE, GIVE_NO_STREAM } from "./advice.ts";
import type { Guard, Judge } from "./guard.ts";

const { DateTimeFormat } = Intl;

export const wantsLocaleAfterText: Judge = ([, locales]) => (locales === undefined ? GIVE_LOCALE : undefined);

/** A text for a terminal holds its colours if there is one. */
export const wantsNoStream: Judge = ([, , options]) =>
  (options as { readonly validateStream?: unknown } | undefined)?.validateStream === false ? undefined : GIVE_NO_STREAM;

/** How many colours there are is the terminal's. */
export const wantsNoTerminal: Judge = ([, format]) => (format === "ansi" ? GIVE_COLORS : undefined);

const GIVE_COLORS = 'It depends on the terminal: name the colors, such as "ansi-256" or "css".';

/** A package that asks for the machine's language and zone. One with a language and no zone would keep it for all. */
export const giveFormat: NonNullable<Guard["answer"]> = (args) =>
  args.length === 0 ? { value: new DateTimeFormat("en-US", { timeZone: "UTC" }) } : undefined;
