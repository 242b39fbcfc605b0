// The whole CLI over a Taskonaut that lives in memory.

import { callCli, type CliCall, type CliResult, Signals } from "./cli.ts";
import { FakeTaskonaut } from "./fake-taskonaut.ts";

interface Options extends Omit<CliCall, "taskonaut"> {
  readonly taskonaut?: FakeTaskonaut;
}

/** Calls it with what is typed; commands speak to `taskonaut`. */
export async function cli(
  argv: readonly string[],
  { taskonaut = new FakeTaskonaut(), ...options }: Options = {},
  signals = new Signals(),
): Promise<CliResult & { readonly taskonaut: FakeTaskonaut }> {
  return { ...(await callCli(argv, { ...options, taskonaut }, signals)), taskonaut };
}
