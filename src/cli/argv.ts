// Reads the arguments exactly as they were typed. It casts, trims and guesses nothing.
//
// The value of an option is the text after `=`, or else the next argument, whatever that looks like. So `--a -5`,
// `--text ""` and `--text --help` need no quoting rules. Three kinds of options do not take the next argument: an option
// of the program, if another option of the program follows (its value was forgotten); an option with an optional value
// (`--fail [message]`), if anything follows that looks like an option; and a field that the flow's contract defines as a
// switch. `--` ends the options. All problems are collected. Fields are passed on as typed: their contract interprets them.

import type { Violation } from "../core/errors.ts";
import { suggest } from "../core/nearest.ts";
import type { Option } from "./option.ts";
import type { Command } from "./command.ts";
import type { FieldToken } from "./input-fields.ts";
import { COMMAND_SYNONYMS, OPTION_SYNONYMS } from "./synonyms.ts";

export interface Argv {
  readonly command: Command | undefined;
  readonly args: readonly string[];
  readonly rest: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  /** Options that may be given more than once, with all their values. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Every `--name` that is not an option, in order. */
  readonly fields: readonly FieldToken[];
  /** A field is followed by what looks like an option: whether that is its value depends on the flow's contract. */
  readonly isOpen: boolean;
  /** In the order of the arguments; the path is the option (`--limit`) or "". */
  readonly problems: readonly Violation[];
}

/** Whether the field (its name without dashes) takes the next word as its value, by the flow's contract. */
export type TakesNext = (field: string, next: string) => boolean;

export function readArgv(
  argv: readonly string[],
  commands: readonly Command[],
  globals: readonly Option[],
  takesNext?: TakesNext,
): Argv {
  const args: string[] = [];
  const rest: string[] = [];
  const flags = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  const fields: FieldToken[] = [];
  let isOpen = false;
  const problems: Violation[] = [];
  let command: Command | undefined;
  let unknownCommand = false;
  let optionsEnded = false;
  /** Words that follow an unknown option. Most of them are its value. */
  const strays = new Set<string>();
  /** The first field whose value looks like an option. */
  let swallowed: Swallowed | undefined;

  const takeWord = (word: string): void => {
    if (command) {
      args.push(word);
    } else if (!unknownCommand) {
      command = commands.find(({ name }) => name === word);
      if (command) return;
      unknownCommand = true;
      const names = commands.map(({ name }) => name);
      problems.push({
        path: "",
        message: `unknown command ${JSON.stringify(word)}${suggest(word, names, COMMAND_SYNONYMS)}`,
      });
    }
  };

  /** Takes the option at `index`; gives the index of the last argument that belongs to it. */
  const takeOption = (index: number): number => {
    const { dashes, name, attached } = splitOption(argv[index] ?? "");
    const known = [...(command?.options ?? []), ...globals];
    const option = known.find((candidate) => (dashes === "--" ? name === candidate.name : isLetterOf(name, candidate)));
    const isField = option === undefined && dashes === "--" && name !== "" && command?.takesFields === true;
    const path = `--${option?.name ?? name}`;
    if (option === undefined && !isField) {
      if (!unknownCommand)
        problems.push({
          path: dashes + name,
          message: `unknown option${hintFor(dashes + name, known, commands, command)}`,
        });
      const value = argv[index + 1];
      if (attached === undefined && value !== undefined && !looksLikeOption(value)) strays.add(value);
      return index;
    }
    const next = argv[index + 1];
    if (option === undefined) {
      const takes = attached === undefined && next !== undefined && (takesNext?.(name, next) ?? true);
      fields.push([name, attached ?? (takes ? next : undefined)]);
      isOpen ||= attached === undefined && looksLikeOption(next);
      if (takes && next.startsWith("--")) swallowed ??= { path, value: next };
      return takes ? index + 1 : index;
    }
    const isSwitch = option.value === undefined;
    const isLeftOut = option.isValueOptional === true && attached === undefined && (next ?? "-").startsWith("-");
    const isForgotten = !isSwitch && attached === undefined && isOption(next, known);
    const value = isSwitch || isLeftOut ? "" : (attached ?? (isForgotten ? undefined : next));
    const key = option.name;
    if (isSwitch && attached !== undefined) problems.push({ path, message: "takes no value" });
    else if (value === undefined) problems.push({ path, message: "a value is missing" });
    else if (option.isValueOptional && !isLeftOut && value === "")
      problems.push({ path, message: "its value is empty: write one, or leave it out" });
    else if (option.repeatable) lists.set(key, [...(lists.get(key) ?? []), value]);
    else if (flags.has(key)) problems.push({ path, message: "given more than once" });
    else flags.set(key, value);
    return isSwitch || isLeftOut || isForgotten || attached !== undefined ? index : index + 1;
  };

  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (!optionsEnded && word === "--") optionsEnded = true;
    else if (!optionsEnded && word.length > 1 && word.startsWith("-")) index = takeOption(index);
    else if (optionsEnded && command?.takesRest) rest.push(word);
    else takeWord(word);
  }
  if (command) {
    const most = command.args.at(-1)?.many === true ? Number.POSITIVE_INFINITY : command.args.length;
    const meant = args.length > most ? args.filter((arg) => !strays.has(arg)) : args;
    problems.push(...checkArgs(command, meant, swallowed, takesNext !== undefined));
  }
  return { command, args, rest, flags, lists, fields, isOpen, problems };
}

/** `--json`, `-h` or `--`; not a negative number. */
function looksLikeOption(word: string | undefined): boolean {
  return word !== undefined && /^-[^\d.]/.test(word);
}

function splitOption(word: string): { dashes: "-" | "--"; name: string; attached: string | undefined } {
  const dashes = word.startsWith("--") ? "--" : "-";
  const equals = word.indexOf("=");
  return equals === -1
    ? { dashes, name: word.slice(dashes.length), attached: undefined }
    : { dashes, name: word.slice(dashes.length, equals), attached: word.slice(equals + 1) };
}

/** `--json`, `--database-url=…`: not just any word with dashes. */
function isOption(word: string | undefined, known: readonly Option[]): boolean {
  if (!word?.startsWith("--")) return false;
  const { name } = splitOption(word);
  return known.some((option) => option.name === name);
}

function hintFor(
  typed: string,
  known: readonly Option[],
  commands: readonly Command[],
  command: Command | undefined,
): string {
  const isOfCommand = commands.some(({ options }) => options.some(({ name }) => `--${name}` === typed));
  if (command === undefined && isOfCommand) return "; it stands after the name of its command";
  return suggestOption(typed, known);
}

function suggestOption(typed: string, known: readonly Option[]): string {
  return suggest(
    typed,
    known.map(({ name }) => `--${name}`),
    OPTION_SYNONYMS,
  );
}

function isLetterOf(letter: string, { short = "" }: Option): boolean {
  return letter.length === 1 && short.includes(letter);
}

interface Swallowed {
  readonly path: string;
  readonly value: string;
}

/** An extra argument mostly comes from a field before it: that took an option as its value, because it was meant as a switch. */
function checkArgs(
  command: Command,
  args: readonly string[],
  swallowed: Swallowed | undefined,
  isSettled: boolean,
): Violation[] {
  const missing = command.args.slice(args.length).filter(({ required }) => required);
  const extra = command.args.at(-1)?.many === true ? [] : args.slice(command.args.length);
  const cause = swallowed
    ? `: \`${swallowed.path}\` took \`${swallowed.value}\` as its value${isSettled ? "" : `; write \`${swallowed.path} true\``}`
    : "";
  return [
    ...missing.map(({ name }) => ({ path: "", message: `<${name}> is missing` })),
    ...extra.map((arg) => ({
      path: "",
      message: `unexpected argument ${JSON.stringify(arg)}${cause || tellPlace(command, arg)}`,
    })),
  ];
}

/** Where data belongs that was given as an argument, as some other programs take it. */
function tellPlace(command: Command, arg: string): string {
  const ofJson = command.options.find(({ name }) => name === "input" || name === "payload");
  if (ofJson && /^[{[]/.test(arg)) return `; write --${ofJson.name} before the JSON`;
  const [, name, value] = command.takesFields ? (/^([A-Za-z_][\w.-]*)=(.*)$/s.exec(arg) ?? []) : [];
  return name === undefined ? "" : `; write --${name}=${value}`;
}
