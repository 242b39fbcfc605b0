import { VERSION } from "./build-info.ts";
import { LineWriter } from "./cli/line-writer.ts";
import { OwnStdout } from "./cli/own-stdout.ts";
import { createProcessIo } from "./cli/process-io.ts";
import { programName } from "./cli/program-name.ts";
import { runCli } from "./cli/run-cli.ts";
import { UserCode } from "./cli/user-code.ts";
import { createWire } from "./wire.ts";

const { env } = process;

const lines = new LineWriter();
const stdout = new OwnStdout();
const userCode = UserCode.host(lines, stdout);

const exit = await runCli({
  argv: process.argv.slice(2),
  env,
  io: createProcessIo(lines, stdout),
  wire: createWire(env, { lines, userCode, version: VERSION.version }),
  calledAs: programName({ argv0: process.argv0, main: Bun.main, cwd: process.cwd(), env }),
  version: VERSION,
});

// not `exitCode`: after a second signal the process leaves at once, whatever is still open; what was written is written
await userCode.leave(exit);
