import { VERSION } from "./build-info.ts";
import { sendConsoleToStderr } from "./cli/console.ts";
import { createProcessIo } from "./cli/process-io.ts";
import { runCli } from "./cli/run-cli.ts";
import { LineWriter } from "./cli/line-writer.ts";
import { createWire } from "./wire.ts";

const { env } = process;

/** For the last lines, where nobody reads them. */
const LAST_LINES_MS = 1000;

const lines = new LineWriter();
sendConsoleToStderr(lines.write);

const exit = await runCli({
  argv: process.argv.slice(2),
  env,
  io: createProcessIo(lines),
  wire: createWire(env, lines),
  version: VERSION,
});

await lines.flush(LAST_LINES_MS);
// not `exitCode`: after a second signal the process leaves at once, whatever is still open; what was written is written
process.exit(exit);
