import { VERSION } from "./build-info.ts";
import { sendConsoleToStderr } from "./cli/console.ts";
import { createProcessIo } from "./cli/process-io.ts";
import { runCli } from "./cli/run-cli.ts";
import { createWire } from "./wire.ts";

const { env } = process;

sendConsoleToStderr();

const exit = await runCli({
  argv: process.argv.slice(2),
  env,
  io: createProcessIo(),
  wire: createWire(env),
  version: VERSION,
});

// not `exitCode`: after a second signal the process leaves at once, whatever is still open; what was written is written
process.exit(exit);
