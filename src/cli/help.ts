// The help, written by cac from the commands as they are declared. cac reads no arguments here: it would turn `007`
// into 7 and refuse `--a -5` (see argv.ts).

import { type Command as CacCommand, cac } from "cac";
import type { Command, Option } from "./command.ts";
import { GLOBAL_OPTIONS } from "./options.ts";

const EXAMPLES = [
  "  $ taskonaut run-flow --text hello --a 2 --b 3",
  "  $ taskonaut get-tasks --limit 10",
  "  $ taskonaut run-app --port 8000",
  "  $ taskonaut get-tasks --api-base-url http://127.0.0.1:8000",
];

/** Of one command, or of the whole program. Ends with a line break. */
export function writeHelp(commands: readonly Command[], command: Command | undefined): string {
  const cli = cac("taskonaut");
  cli.usage("<command> [options]");
  for (const option of GLOBAL_OPTIONS) cli.option(nameOption(option), option.summary);
  for (const example of EXAMPLES) cli.example(example);
  const declared = new Map<Command, CacCommand>();
  for (const own of commands) {
    const words = own.args.map(({ name, required }) => (required ? `<${name}>` : `[${name}]`));
    const made = cli.command([own.name, ...words].join(" "), own.summary);
    if (own.takesFields)
      made.option("--<field> <value>", "A field of the flow's input, such as --text, --a and --b of echo_add");
    for (const option of own.options) made.option(nameOption(option), option.summary);
    // of `--no-worker` cac would say that it is on by default
    for (const { config } of made.options) delete config.default;
    for (const example of own.examples) made.example(`  $ taskonaut ${example}`);
    declared.set(own, made);
  }
  const shown = (command && declared.get(command)) ?? cli.globalCommand;
  cli.globalCommand.helpCallback = (sections) =>
    sections
      // the whole help lists the commands already; a list of `--help` calls says nothing more
      .filter(({ title }) => !title?.startsWith("For more info"))
      .slice(1)
      .concat(command ? [] : [{ body: "`taskonaut <command> --help` shows the options and examples of a command." }]);
  return capturePrinted(() => {
    shown.outputHelp();
  });
}

function nameOption({ name, short, value, isValueOptional }: Option): string {
  const shown = value === undefined ? "" : isValueOptional ? ` [${value}]` : ` <${value}>`;
  return `${short ? `-${short}, ` : ""}--${name}${shown}`;
}

/** cac prints its help with console.info; where it goes is for the caller to say. */
function capturePrinted(print: () => void): string {
  const original = console.info;
  let printed = "";
  console.info = (text: string) => {
    printed += `${text.replace(/ +$/gm, "")}\n`; // cac leaves room for a default that is not there
  };
  try {
    print();
  } finally {
    console.info = original;
  }
  return printed;
}
