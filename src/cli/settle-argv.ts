// What `--gift --json` means depends on the flow: is `gift` a switch, or a text? So arguments that leave this open are read
// twice: first to find out which flow is meant and where it is described, then as its contract says.

import type { FlowDescription } from "../core/api/taskonaut.ts";
import { TaskonautError } from "../core/errors.ts";
import { type Argv, readArgv, type TakesNext } from "./argv.ts";
import type { Option } from "./option.ts";
import type { Command } from "./command.ts";
import { findTyped, isSwitch } from "./field-place.ts";

/** `describe` gives the flow that a reading of the command means. Throws what it throws, where no reading finds its flow. */
export async function settleArgv(
  argv: readonly string[],
  commands: readonly Command[],
  globals: readonly Option[],
  describe: (command: Command, reading: Argv) => Promise<FlowDescription>,
): Promise<Argv> {
  const plain = readArgv(argv, commands, globals);
  if (!plain.isOpen) return plain;
  // a field takes what follows it, as most do; or it leaves alone what looks like an option
  const guesses = [plain, readArgv(argv, commands, globals, (_field, next) => !next.startsWith("--"))];
  const failures: TaskonautError[] = [];
  for (const guess of guesses) {
    if (!guess.command) continue;
    try {
      const flow = await describe(guess.command, guess);
      const options = [...guess.command.options, ...globals];
      const settled = readArgv(argv, commands, globals, takesNextOf(flow, options));
      if (meansOf(settled) === meansOf(guess)) return settled;
    } catch (error) {
      if (!(error instanceof TaskonautError)) throw error;
      failures.push(error);
    }
  }
  const [failure] = failures;
  if (failure === undefined || plain.problems.length > 0 || plain.flags.has("help")) return plain;
  throw failure;
}

/** A switch leaves alone what looks like an option. So does a name that the flow has not, before one that is known. */
function takesNextOf({ input_schema }: FlowDescription, options: readonly Option[]): TakesNext {
  return (field, next) => {
    const place = findTyped(input_schema, field);
    if (place) return !place.isNegated && !(isSwitch(place.schema) && next.startsWith("-"));
    const [name = ""] = next.replace(/^--?/, "").split("=", 1);
    return !next.startsWith("-") || !(options.some((option) => option.name === name) || findTyped(input_schema, name));
  };
}

/** Which flow is meant, and who describes it: the same for two readings that agree in that. */
function meansOf({ args, flags, lists }: Argv): string {
  return JSON.stringify([args[0], lists.get("flows"), flags.get("api-base-url"), flags.get("database-url")]);
}
