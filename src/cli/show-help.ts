// Which help is asked for: `taskonaut help run-flow` and `taskonaut run-flow --help` are the same.

import { suggest } from "../core/nearest.ts";
import type { Command, CommandGroup } from "./command.ts";
import { OPTIONS_TOPIC, writeCommandHelp, writeHelp, writeOptionsHelp } from "./help.ts";
import type { Look } from "./look.ts";
import { COMMAND_SYNONYMS } from "./synonyms.ts";
import { usageError } from "./usage.ts";

/** `words`: a command and its arguments, a topic, or nothing. Throws usage for a command that there is not. */
export function showHelp(groups: readonly CommandGroup[], words: readonly string[], look: Look): string {
  const [word] = words;
  if (word === undefined) return writeHelp(groups, look);
  if (word === OPTIONS_TOPIC) return writeOptionsHelp(look);
  const command = findCommand(groups, word);
  return writeCommandHelp(groups, command, look);
}

function findCommand(groups: readonly CommandGroup[], word: string): Command {
  const commands = groups.flatMap((group) => group.commands);
  const found = commands.find(({ name }) => name === word);
  if (found) return found;
  const names = commands.map(({ name }) => name);
  const hint = suggest(word, [...names, OPTIONS_TOPIC], COMMAND_SYNONYMS);
  throw usageError([{ path: "", message: `there is no help of ${JSON.stringify(word)}${hint}` }]);
}
