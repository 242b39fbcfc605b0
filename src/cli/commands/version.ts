import type { Command } from "../command.ts";
import type { VersionInfo } from "../wiring.ts";

export const version: Command = {
  name: "version",
  summary: "Show version, commit and Bun version",
  args: [],
  options: [],
  takesFields: false,
  needs: "program",
  readsOnly: true,
  ignores: ["logster", "log-level"],
  logLevel: "warn",
  examples: ["version", "version --json"],

  async run({ flags, io, program }) {
    await io.stdout.write(describeVersion(program.version, flags.has("json")));
    return 0;
  },
};

/** One line, with its end. */
export function describeVersion({ version: number, commit, bun }: VersionInfo, json: boolean): string {
  return json
    ? `${JSON.stringify({ version: number, commit, bun })}\n`
    : `taskonaut ${number} (commit ${commit}, Bun ${bun})\n`;
}
