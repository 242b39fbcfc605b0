// A command: its name, arguments and options as data, for the argv reader and the help, and what it does.

import type { LogLevel } from "../core/log.ts";
import type { LogStyle } from "../log/create-log.ts";
import type { Paint } from "../log/paint.ts";
import type { CommandNeeds } from "./command-needs.ts";
import type { Hints } from "./hint.ts";
import type { FieldToken } from "./input-fields.ts";
import type { Interrupts } from "./interrupts.ts";
import type { Env, Io } from "./io.ts";
import type { Look } from "./look.ts";
import type { Option } from "./option.ts";
import type { VersionInfo, Wiring } from "./wiring.ts";

interface Argument {
  readonly name: string;
  readonly required: boolean;
  /** The last argument may be repeated. */
  readonly many?: boolean;
}

/** Commands that belong together in the help. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** More about it, in sentences. */
  readonly about?: string;
  readonly args: readonly Argument[];
  readonly options: readonly Option[];
  /** Whether every other `--name value` is a field of a flow's input. */
  readonly takesFields: boolean;
  /** Arguments after `--` go to the program that the command starts. */
  readonly takesRest?: boolean;
  readonly needs: CommandNeeds;
  /** It runs no flow, so it loads none: a flow file with an error does not stop it. */
  readonly readsOnly?: boolean;
  /** The command, or this action of it, creates a missing SQLite file. All other commands report that the file is missing. */
  readonly makesDatabase?: true | "add";
  /** It is about flows: `--flows` means these files, even if the environment names a server. */
  readonly prefersFiles?: boolean;
  /** Further global options that the command refuses, besides those that `needs` and `readsOnly` exclude. */
  readonly ignores?: readonly string[];
  /** The default, if neither a flag nor the environment sets it. */
  readonly logLevel: LogLevel;
  /** Calls that work as they are, without the program's name. A line that begins with `#` explains the next one. */
  readonly examples: readonly string[];
  /** Gives the exit code, or throws a TaskonautError that has one. */
  run(call: Call): Promise<number>;
}

/** One call of a command, read and settled. */
export interface Call {
  readonly args: readonly string[];
  /** Arguments after `--`, if the command takes them. */
  readonly rest: readonly string[];
  /** Options by name, as typed; a switch, and a value that was left out, holds "". */
  readonly flags: ReadonlyMap<string, string>;
  /** Values of options that may be given more than once, by name, as typed. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Fields of the flow's input, as typed, in order. */
  readonly fields: readonly FieldToken[];
  /** For variables that stand in for options. */
  readonly env: Env;
  readonly io: Io;
  readonly interrupts: Interrupts;
  readonly look: Look;
  readonly logStyle: LogStyle;
  /** Colours for what is said on stderr. */
  readonly talk: Paint;
  readonly hints: Hints;
  readonly wiring: Wiring;
  readonly program: Program;
  /** Whether a server does the work. Then it continues when this process ends. */
  readonly isRemote: boolean;
  /** Whether the command changes something. Then the audit log gets who called it. */
  readonly changes: boolean;
}

/** What the program says about itself. */
export interface Program {
  readonly version: VersionInfo;
  /** The help of the program, of a command or of a topic. Throws usage if there is no such command. */
  writeHelp(words: readonly string[]): Promise<string>;
}
