// Texts for people. Forms that depend on the language or the time zone of the machine are refused. Forms that name them
// (`toLocaleString("en")`) are allowed.

import { isA } from "../../core/record/stored-error.ts";
import { GIVE_LOCALE, GIVE_NO_STREAM } from "./advice.ts";
import type { Guard, Judge } from "./guard.ts";

const { DateTimeFormat } = Intl;

export const wantsLocaleAfterText: Judge = ([, locales]) => (locales === undefined ? GIVE_LOCALE : undefined);

/** A text for a terminal has colors only if there is a terminal. */
export const wantsNoStream: Judge = ([, , options]) =>
  (options as { readonly validateStream?: unknown } | undefined)?.validateStream === false ? undefined : GIVE_NO_STREAM;

/** An error is shown with its source, and with folders. */
export const wantsNoError: Judge = ([value]) => (isA(value, Error) ? GIVE_MESSAGE : undefined);

const GIVE_MESSAGE =
  "It shows where files lie on this machine: use `String(error)`, or the error's `name` and `message`.";

/** The number of colors depends on the terminal. */
export const wantsNoTerminal: Judge = ([, format]) => (format === "ansi" ? GIVE_COLORS : undefined);

const GIVE_COLORS = 'It depends on the terminal: name the colors, such as "ansi-256" or "css".';

/**
 * For a package that asks for the machine's language and zone. With only a language, it would keep the result for all.
 */
export const giveFormat: NonNullable<Guard["answer"]> = (args) =>
  args.length === 0 ? { value: new DateTimeFormat("en-US", { timeZone: "UTC" }) } : undefined;
