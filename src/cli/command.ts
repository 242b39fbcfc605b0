// A command: what it is called and takes, as data (the argv reader and the help work from it), and what it does.

import type { LogLevel } from "../core/log.ts";
import type { LogStyle } from "../log/create-log.ts";
import type { Paint } from "../log/paint.ts";
import type { Hints } from "./hint.ts";
import type { FieldToken } from "./input-fields.ts";
import type { Interrupts } from "./interrupts.ts";
import type { Env, Io } from "./io.ts";
import type { Look } from "./look.ts";
import type { VersionInfo, Wiring } from "./wiring.ts";

export interface Option {
  /** Without dashes: `max-steps`. */
  readonly name: string;
  /** Letters that mean the same behind one dash: `vV` for -v and -V. */
  readonly short?: string;
  /** What stands for its value in the help. Without it the option is a switch. */
  readonly value?: string;
  /** Its value may be left out: what follows is taken for it unless it looks like an option. */
  readonly isValueOptional?: boolean;
  /** It may be given more than once. */
  readonly repeatable?: boolean;
  readonly summary: string;
}

interface Argument {
  readonly name: string;
  readonly required: boolean;
  /** The last one may be given as often as one likes. */
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
  /** What else there is to know of it, in sentences. */
  readonly about?: string;
  readonly args: readonly Argument[];
  readonly options: readonly Option[];
  /** Whether every other `--name value` is a field of a flow's input. */
  readonly takesFields: boolean;
  /** What stands after `--` is for the program that it starts. */
  readonly takesRest?: boolean;
  /**
   * `database`: it works on the database itself, so an API address means nothing to it; `files`: on neither of them;
   * `program`: on nothing, whatever the environment says.
   */
  readonly needs: "tasks" | "database" | "files" | "program";
  /** It runs no flow, so none is loaded: a flow file with an error does not stand in its way. */
  readonly readsOnly?: boolean;
  /** It makes the SQLite file where there is none; all others say that it is not there. */
  readonly makesDatabase?: boolean;
  /** It is about flows: `--flows` means these files, whatever server the environment names. */
  readonly prefersFiles?: boolean;
  /** Global options that mean nothing to it, beside those that `needs` and `readsOnly` rule out. */
  readonly ignores?: readonly string[];
  /** Where neither a flag nor the environment says otherwise. */
  readonly logLevel: LogLevel;
  /** Calls without the program's name, which work as they stand; a line that begins with `#` tells of the next. */
  readonly examples: readonly string[];
  /** Gives the exit code, or throws a TaskonautError that has one. */
  run(call: Call): Promise<number>;
}

/** One call of a command, read and settled. */
export interface Call {
  readonly args: readonly string[];
  /** What stands after `--`, where the command takes that. */
  readonly rest: readonly string[];
  /** Options by name, as typed; a switch, and a value that was left out, holds "". */
  readonly flags: ReadonlyMap<string, string>;
  /** Values of options that may be given more than once, by name, as typed. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Fields of the flow's input, as typed, in order. */
  readonly fields: readonly FieldToken[];
  /** For what a variable says where an option does not. */
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
  /** Whether a server does the work, so that it goes on when this process leaves. */
  readonly isRemote: boolean;
  /** Whether the command changes something, so that it is written down who has called it. */
  readonly changes: boolean;
}

/** What the program tells of itself. */
export interface Program {
  readonly version: VersionInfo;
  /** The whole help, or that of a command, or of one of its topics. Throws usage where there is no such command. */
  writeHelp(words: readonly string[]): Promise<string>;
}
