// Hints of a call, without the call.

import { readArgv } from "../../src/cli/argv.ts";
import { Hints, type HintsOptions } from "../../src/cli/hint.ts";
import { GLOBAL_OPTIONS } from "../../src/cli/options.ts";
import { COMMANDS } from "../../src/cli/run-cli.ts";

/** As if this had been typed. */
export function hintsOf(argv: readonly string[] = [], options: Partial<HintsOptions> = {}): Hints {
  const typed = readArgv(argv, COMMANDS, GLOBAL_OPTIONS);
  return new Hints({
    calledAs: "taskonaut",
    argv,
    typed,
    commands: COMMANDS,
    env: {},
    apiBaseUrl: typed.flags.get("api-base-url"),
    ...options,
  });
}
