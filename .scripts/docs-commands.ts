// The commands and their options as Markdown, from the same table that the program reads.

import { MODES } from "../src/cli/ask-task.ts";
import type { Option } from "../src/cli/option.ts";
import type { Command } from "../src/cli/command.ts";
import { FORMATS } from "../src/cli/format.ts";
import { nameCommand, nameOption } from "../src/cli/help.ts";
import { GLOBAL_OPTIONS } from "../src/cli/options.ts";
import { COMMAND_GROUPS, COMMANDS } from "../src/cli/run-cli.ts";

/** The options of every command. */
export function globalOptionsPart(): string {
  return table(["option", "meaning"], GLOBAL_OPTIONS.map(optionRow));
}

/** A list of all commands by group, then a section for each command. */
export function commandsPart(): string {
  const lists = COMMAND_GROUPS.map(({ title, commands }) => {
    const rows = commands.map(({ name, summary }) => [`[\`${name}\`](#${name})`, prose(summary)]);
    return table([title.toLowerCase(), "what it does"], rows);
  });
  return [...lists, ...COMMANDS.map(commandPart)].join("\n\n");
}

function commandPart(command: Command): string {
  const { name, summary, about, options, takesFields, examples } = command;
  const usage = ["taskonaut", nameCommand(command), ...(takesFields ? ["[--<field> <value>]…"] : []), "[options]"];
  const field: Option = { name: "<field>", value: "value", summary: "A field of the flow's input" };
  const rows = [...(takesFields ? [field] : []), ...options].map(optionRow);
  return [
    `### ${name}`,
    [`${prose(summary)}.`, ...(about === undefined ? [] : [prose(about)])].join(" "),
    `\`${usage.join(" ")}\``,
    ...(rows.length > 0 ? [table(["option", "meaning"], rows)] : []),
    `\`\`\`sh\n${examples.map(exampleLine).join("\n")}\n\`\`\``,
  ].join("\n\n");
}

function exampleLine(example: string): string {
  return example.startsWith("#") ? example : `taskonaut ${example}`;
}

function optionRow(option: Option): readonly string[] {
  return [`\`${nameOption(option)}\`${option.repeatable === true ? ", repeatable" : ""}`, prose(option.summary)];
}

/** The words that an option accepts, if its summary names them. */
const VALUES: Readonly<Record<string, readonly string[]>> = { mode: MODES, format: FORMATS, view: ["summary"] };

/** Writes as code whatever would be markup in Markdown. */
function prose(text: string): string {
  return text.replaceAll(
    /`[^`]*`|(?:sqlite:)?<\w+>|\bpostgres:\/\/…|\b[A-Z]+(?:_[A-Z]+)+(?:=\w+)?\b|--(?<name>[a-z][a-z-]*)(?: (?<next>\w+))?/g,
    (...match) => {
      const [code] = match;
      const { name, next } = match.at(-1) as { readonly name?: string; readonly next?: string };
      if (code.startsWith("`")) return code;
      if (name === undefined || next === undefined || VALUES[name]?.includes(next)) return `\`${code}\``;
      return `\`--${name}\` ${next}`;
    },
  );
}

/** As the formatter would write it: each column as wide as its widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", String.raw`\|`)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => Bun.stringWidth(row[column] ?? ""))));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell))).join(" | ")} |`;
  const [first = [], ...others] = cells;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)].join("\n");
}
