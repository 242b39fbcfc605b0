// Which help is asked for: `taskonaut help run-flow` and `taskonaut run-flow --help` are the same.

import { describeViolations, TaskonautError } from "../core/errors.ts";
import { suggest } from "../core/nearest.ts";
import { wrapText } from "./cells.ts";
import type { Command, CommandGroup } from "./command.ts";
import { exampleLine, fieldsSection, type FoundFlow } from "./flow-help.ts";
import {
  columnsOf,
  type HelpLook,
  type HelpTopic,
  OPTIONS_TOPIC,
  writeCommandHelp,
  writeHelp,
  writeOptionsHelp,
} from "./help.ts";
import type { Hints } from "./hint.ts";
import { quoteWord } from "./shell-quote.ts";
import { COMMAND_SYNONYMS } from "./synonyms.ts";
import { usageError } from "./usage.ts";

export interface HelpRequest {
  readonly groups: readonly CommandGroup[];
  /** A command and its arguments, a topic, or nothing. */
  readonly words: readonly string[];
  readonly look: HelpLook;
  /** Finds the flow as that command would. Throws the reason if it cannot. */
  readonly findFlow: (command: Command, name: string) => Promise<{ readonly found: FoundFlow; readonly hints: Hints }>;
}

/**
 * Throws usage for an unknown command, and for a flow behind a command that takes no fields. A flow that cannot be shown
 * is not an error: the help says why.
 */
export async function showHelp(request: HelpRequest): Promise<string> {
  const { groups, words, look } = request;
  const [word, flow] = words;
  if (word === undefined) return writeHelp(groups, look);
  if (word === OPTIONS_TOPIC) return writeOptionsHelp(look);
  const command = findCommand(groups, word);
  if (flow === undefined) return writeCommandHelp(groups, command, look);
  if (!command.takesFields)
    throw usageError([
      { path: "", message: `${command.name} takes no fields of a flow; leave out ${JSON.stringify(flow)}` },
    ]);
  return writeCommandHelp(groups, command, look, await describeTopic(request, command, flow));
}

function findCommand(groups: readonly CommandGroup[], word: string): Command {
  const commands = groups.flatMap((group) => group.commands);
  const found = commands.find(({ name }) => name === word);
  if (found) return found;
  const names = commands.map(({ name }) => name);
  const hint = suggest(word, [...names, OPTIONS_TOPIC], COMMAND_SYNONYMS);
  throw usageError([{ path: "", message: `there is no help for ${JSON.stringify(word)}${hint}` }]);
}

async function describeTopic({ look, findFlow }: HelpRequest, command: Command, name: string): Promise<HelpTopic> {
  const columns = columnsOf(look);
  const args = quoteWord(name) ?? "<flow>";
  try {
    const { found, hints } = await findFlow(command, name);
    const { flow } = found;
    const description = flow.description === "" ? [] : [{ body: wrapText(flow.description, columns).join("\n") }];
    return {
      args,
      sections: [...description, fieldsSection(flow, command, columns)],
      example: exampleLine(found, command, hints),
    };
  } catch (error) {
    const lines = wrapText(`They cannot be shown. ${tellError(error)}`, columns - 2);
    return {
      args,
      sections: [{ title: "Fields", body: lines.map((line) => `  ${line}`).join("\n") }],
      example: undefined,
    };
  }
}

function tellError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const violations = error instanceof TaskonautError ? describeViolations(error.errors) : "";
  return violations === "" ? message : `${message}: ${violations}`;
}
