// The help. cac knows the commands and composes the sections. This file adds what cac lacks: groups, lines that fit the
// terminal, and examples that can be pasted. cac does not read the arguments: it would turn `007` into 7 and refuse
// `--a -5` (see argv.ts).

import { type CAC, type Command as CacCommand, cac } from "cac";
import { wrapText } from "./cells.ts";
import type { Option } from "./option.ts";
import type { Command, CommandGroup } from "./command.ts";
import { type HelpRow, type HelpSection, layRows } from "./help-rows.ts";
import type { Look } from "./look.ts";
import { GLOBAL_OPTIONS, globalOptionsOf } from "./options.ts";

export interface HelpLook extends Pick<Look, "columns" | "paint"> {
  /** How to call the program, quoted for a shell: `taskonaut`, `npx taskonaut`. */
  readonly program: string;
}

/** What the help of a command tells of one of its flows. */
export interface HelpTopic {
  /** What stands for the command's arguments. */
  readonly args: string;
  /** They stand before the command's own options. */
  readonly sections: readonly HelpSection[];
  /** A whole line, in place of the command's own examples. */
  readonly example: string | undefined;
}

/** The topic of the options that every command has. */
export const OPTIONS_TOPIC = "options";

const ABOUT =
  "Durable, deterministic flows from one binary. A flow is a TypeScript function; a run of it is a task, which any process can resume from its record.";

const ABOUT_OPTIONS =
  "These options stand before the name of a command or after it. A command that one of them means nothing to refuses it, and its help does not show it. An option beats the variable in parentheses.";

const EXAMPLES = [
  "# run the flow that comes with the program",
  "run-flow --text hello --a 2 --b 3",
  "# see how it went",
  "get-tasks --limit 10",
  "# start with a flow of your own",
  "init my-flows",
  "run-flow order --sku A1 --qty 2 --flows my-flows",
];

/** Longer lines are hard to read, however wide the terminal is. */
const COLUMNS_MAX = 100;

/** The help of the whole program. Ends with a line break. */
export function writeHelp(groups: readonly CommandGroup[], look: HelpLook): string {
  const columns = columnsOf(look);
  const cli = declare(groups, look);
  for (const example of EXAMPLES) cli.example(showExample(example, look));
  const listed = groups.map(({ title, commands }) => ({
    title,
    rows: commands.map((command): HelpRow => ({ name: nameCommand(command), text: command.summary })),
  }));
  const beside = listed.flatMap(({ rows }) => rows);
  return compose(cli.globalCommand, look, ({ usage, examples }) => [
    proseOf([ABOUT], look),
    usage,
    ...listed.map(({ title, rows }) => ({ title, body: layRows(rows, { columns, beside }) })),
    globalsOf(GLOBAL_OPTIONS, look),
    examples,
    proseOf(["`taskonaut help run-flow` tells more about a command."], look),
  ]);
}

/** The help of one command, with a flow if there is a `topic`. Ends with a line break. */
export function writeCommandHelp(
  groups: readonly CommandGroup[],
  command: Command,
  look: HelpLook,
  topic?: HelpTopic,
): string {
  const made = declareCommand(declare([], look), command, topic);
  if (topic) made.examples = topic.example === undefined ? [] : [`  ${topic.example}`];
  else for (const example of command.examples) made.example(showExample(example, look));
  const about = [endSentence(command.summary), ...(topic || !command.about ? [] : [command.about])];
  return compose(made, look, ({ usage, examples }) => [
    proseOf(about, look),
    usage,
    ...(topic?.sections ?? []),
    optionsOf(made, look),
    globalsOf(globalOptionsOf(command), look),
    examples,
    ...(topic ? [] : relatedOf(groups, command, look)),
  ]);
}

/** The help of the options that every command has. Ends with a line break. */
export function writeOptionsHelp(look: HelpLook): string {
  const { globalCommand } = declare([], look);
  return compose(globalCommand, look, ({ usage }) => [
    proseOf([ABOUT_OPTIONS], look),
    usage,
    optionsOf(globalCommand, look),
  ]);
}

export function columnsOf({ columns }: Pick<HelpLook, "columns">): number {
  return Math.min(columns, COLUMNS_MAX);
}

/** `init <folder>` */
export function nameCommand({ name, args }: Command): string {
  const words = args.map((argument) => {
    const shown = argument.many ? `${argument.name}…` : argument.name;
    return argument.required ? `<${shown}>` : `[${shown}]`;
  });
  return [name, ...words].join(" ");
}

/** `-h, --help`, `--limit <N>`, `--fail [message]` */
export function nameOption({ name, short, value, isValueOptional }: Option): string {
  const letters = (short ?? "").replaceAll(/./g, "-$&, ");
  const shown = value === undefined ? "" : isValueOptional ? ` [${value}]` : ` <${value}>`;
  return `${letters}--${name}${shown}`;
}

function declare(groups: readonly CommandGroup[], { program }: HelpLook): CAC {
  const cli = cac(program);
  cli.usage("<command> [options]");
  for (const option of GLOBAL_OPTIONS) cli.option(nameOption(option), option.summary);
  for (const { commands } of groups) for (const command of commands) declareCommand(cli, command);
  return cli;
}

function declareCommand(cli: CAC, command: Command, topic?: HelpTopic): CacCommand {
  const made = cli.command(nameCommand(command), command.summary);
  const call = topic ? `${command.name} ${topic.args}` : nameCommand(command);
  const fields = command.takesFields ? " [--<field> <value>]…" : "";
  const rest = command.takesRest ? " [-- <options of the runner>]" : "";
  made.usage(`${call}${fields} [options]${rest}`);
  for (const option of command.options) made.option(nameOption(option), option.summary);
  return made;
}

/** cac composes, and `arrange` chooses the sections. cac prints with console.info; the caller decides where that goes. */
function compose(
  shown: CacCommand,
  look: HelpLook,
  arrange: (made: { readonly usage: HelpSection; readonly examples: HelpSection }) => readonly HelpSection[],
): string {
  shown.cli.globalCommand.helpCallback = (sections) => {
    const find = (title: string): string => sections.find((section) => section.title === title)?.body ?? "";
    const [first = "", ...others] = wrapText(find("Usage").replace("  $ ", ""), columnsOf(look) - 4);
    const usage = { title: "Usage", body: [`  ${first}`, ...others.map((line) => `    ${line}`)].join("\n") };
    return arrange({ usage, examples: { title: "Examples", body: find("Examples") } })
      .filter(({ body }) => body !== "")
      .map(({ title, body }) => (title === undefined ? { body } : { title: look.paint("bold", title), body }));
  };
  const original = console.info;
  let printed = "";
  console.info = (text: string) => {
    printed += `${text}\n`;
  };
  try {
    shown.outputHelp();
  } finally {
    console.info = original;
  }
  return printed;
}

function proseOf(paragraphs: readonly string[], look: HelpLook): HelpSection {
  const lines = paragraphs.map((text) => wrapText(asCalled(text, look), columnsOf(look)).join("\n"));
  return { body: lines.join("\n\n") };
}

function optionsOf({ options }: CacCommand, look: HelpLook): HelpSection {
  const rows = options.map((option) => ({ name: option.rawName, text: asCalled(option.description, look) }));
  return { title: "Options", body: layRows(rows, { columns: columnsOf(look) }) };
}

/** Their names in one line, where the terminal is wide enough. `help` and `version` are commands as well. */
function globalsOf(options: readonly Option[], look: HelpLook): HelpSection {
  const names = options.filter(({ name }) => name !== "help" && name !== "version").map(({ name }) => `--${name}`);
  const more = asCalled(`\`taskonaut help ${OPTIONS_TOPIC}\` explains them.`, look);
  const lines = names.length === 0 ? [] : [names.join(" "), more];
  const body = lines.flatMap((text) => wrapText(text, columnsOf(look) - 2)).map((line) => `  ${line}`);
  return { title: "Global options", body: body.join("\n") };
}

/** As it is to be pasted: not broken, and without a prompt. */
function showExample(example: string, { paint, program }: HelpLook): string {
  return example.startsWith("#") ? `  ${paint("dim", example)}` : `  ${program} ${example}`;
}

/** A command within a text, with the program as it was called. */
function asCalled(text: string, { program }: HelpLook): string {
  return text.replaceAll("`taskonaut ", () => `\`${program} `);
}

/** The others of its group. */
function relatedOf(groups: readonly CommandGroup[], command: Command, look: HelpLook): readonly HelpSection[] {
  const group = groups.find(({ commands }) => commands.includes(command));
  const others = (group?.commands ?? []).filter((other) => other !== command).map(({ name }) => name);
  return others.length === 0 ? [] : [proseOf([`See also: ${others.join(", ")}`], look)];
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
