// The help. cac is told of the commands and composes the sections; here each section gets the look that cac has not: groups,
// lines that fit the terminal, and examples that can be pasted. cac reads no arguments: it would turn `007` into 7 and
// refuse `--a -5` (see argv.ts).

import { type Command as CacCommand, cac } from "cac";
import { wrapText } from "./cells.ts";
import type { Command, CommandGroup, Option } from "./command.ts";
import { layRows, type HelpRow } from "./help-rows.ts";
import type { Look } from "./look.ts";
import { GLOBAL_OPTIONS, globalOptionsOf } from "./options.ts";

/** The topic of the options that every command has. */
export const OPTIONS_TOPIC = "options";

const ABOUT =
  "Durable, deterministic flows from one binary. A flow is a TypeScript function; a run of it is a task, which any process can resume from its record.";

const EXAMPLES = [
  "# run the flow that comes with the program",
  "run-flow --text hello --a 2 --b 3",
  "# see what became of it",
  "get-tasks --limit 10",
  "# start with a flow of your own",
  "init my-flows",
  "run-flow order --sku A1 --qty 2 --flows my-flows",
];

/** Longer lines are hard to read, however wide the terminal is. */
const COLUMNS_MAX = 100;

type HelpLook = Pick<Look, "columns" | "paint">;

interface Section {
  readonly title?: string;
  readonly body: string;
}

/** Of the whole program. Ends with a line break. */
export function writeHelp(groups: readonly CommandGroup[], look: HelpLook): string {
  const columns = columnsOf(look);
  const cli = declare(groups);
  for (const example of EXAMPLES) cli.example(showExample(example, look));
  const listed = groups.map(({ title, commands }) => ({
    title,
    rows: commands.map((command): HelpRow => ({ name: nameCommand(command), text: command.summary })),
  }));
  const rows = listed.flatMap((group) => group.rows);
  return compose(cli.globalCommand, look, ({ usage, examples }) => [
    { body: wrapText(ABOUT, columns).join("\n") },
    usage,
    ...listed.map((group) => ({ title: group.title, body: layRows(group.rows, { columns, beside: rows }) })),
    globalsOf(GLOBAL_OPTIONS, columns),
    examples,
    { body: wrapText("`taskonaut help run-flow` tells more of a command.", columns).join("\n") },
  ]);
}

/** Of one command. `parts` come before its options: what its arguments add to its help. */
export function writeCommandHelp(
  groups: readonly CommandGroup[],
  command: Command,
  look: HelpLook,
  parts: readonly Section[] = [],
): string {
  const columns = columnsOf(look);
  const made = declareCommand(declare([]), command);
  for (const example of command.examples) made.example(showExample(example, look));
  const rows = made.options.map((option): HelpRow => ({ name: option.rawName, text: option.description }));
  const about = [command.summary, command.about ?? ""].filter((text) => text !== "").map((text) => endSentence(text));
  return compose(made, look, ({ usage, examples }) => [
    { body: about.flatMap((text, index) => [...(index > 0 ? [""] : []), ...wrapText(text, columns)]).join("\n") },
    usage,
    ...parts,
    ...(rows.length > 0 ? [{ title: "Options", body: layRows(rows, { columns }) }] : []),
    globalsOf(globalOptionsOf(command), columns),
    examples,
    ...relatedOf(groups, command, columns),
  ]);
}

/** Of the options that every command has. */
export function writeOptionsHelp(look: HelpLook): string {
  const columns = columnsOf(look);
  const cli = declare([]);
  const rows = cli.globalCommand.options.map((option): HelpRow => ({ name: option.rawName, text: option.description }));
  const about =
    "These options stand before the name of a command or after it. A command that one of them means nothing to refuses it, and its help does not show it. An option beats the variable in parentheses.";
  return compose(cli.globalCommand, look, ({ usage }) => [
    { body: wrapText(about, columns).join("\n") },
    usage,
    { title: "Options", body: layRows(rows, { columns }) },
  ]);
}

function columnsOf({ columns }: HelpLook): number {
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

function declare(groups: readonly CommandGroup[]): ReturnType<typeof cac> {
  const cli = cac("taskonaut");
  cli.usage("<command> [options]");
  for (const option of GLOBAL_OPTIONS) cli.option(nameOption(option), option.summary);
  for (const { commands } of groups) for (const command of commands) declareCommand(cli, command);
  return cli;
}

function declareCommand(cli: ReturnType<typeof cac>, command: Command): CacCommand {
  const made = cli.command(nameCommand(command), command.summary);
  const fields = command.takesFields ? " [--<field> <value>]…" : "";
  const rest = command.takesRest ? " [-- <options of the runner>]" : "";
  made.usage(`${nameCommand(command)}${fields} [options]${rest}`);
  for (const option of command.options) made.option(nameOption(option), option.summary);
  return made;
}

/** cac composes; `arrange` says which sections there are. cac prints with console.info; where that goes is for the caller to say. */
function compose(
  shown: CacCommand,
  look: HelpLook,
  arrange: (made: { readonly usage: Section; readonly examples: Section }) => readonly Section[],
): string {
  shown.cli.globalCommand.helpCallback = (sections) => {
    const find = (title: string): Section => sections.find((section) => section.title === title) ?? { body: "" };
    const call = find("Usage").body.replace("  $ ", "");
    const lines = wrapText(call, columnsOf(look) - 4).map((line, index) => (index === 0 ? "  " : "    ") + line);
    const usage = { title: "Usage", body: lines.join("\n") };
    return arrange({ usage, examples: find("Examples") })
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

/** Their names in one line, where the terminal is wide enough. `help` and `version` are commands as well. */
function globalsOf(options: readonly Option[], columns: number): Section {
  const names = options.filter(({ name }) => name !== "help" && name !== "version").map(({ name }) => `--${name}`);
  const more = `\`taskonaut help ${OPTIONS_TOPIC}\` explains them.`;
  const lines = [names.join(" "), more].flatMap((text) => wrapText(text, columns - 2));
  return { title: "Global options", body: lines.map((line) => `  ${line}`).join("\n") };
}

/** As it is to be pasted: not broken, and without a prompt. */
function showExample(example: string, { paint }: HelpLook): string {
  return example.startsWith("#") ? `  ${paint("dim", example)}` : `  taskonaut ${example}`;
}

/** The others of its group. */
function relatedOf(groups: readonly CommandGroup[], command: Command, columns: number): readonly Section[] {
  const group = groups.find(({ commands }) => commands.includes(command));
  const others = (group?.commands ?? []).filter((other) => other !== command).map(({ name }) => name);
  return others.length === 0 ? [] : [{ body: wrapText(`See also: ${others.join(", ")}`, columns).join("\n") }];
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
