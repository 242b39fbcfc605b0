import { TaskonautError } from "../../core/errors.ts";
import type { Command } from "../command.ts";
import { readCount } from "../usage.ts";

const TIMEOUT_MS = { min: 1, max: 86_400_000 };
const BAIL = { min: 1, max: 1_000_000 };

export const test: Command = {
  name: "test",
  summary: "Run the tests of your flows, in simulated time",
  args: [{ name: "paths", required: false, many: true }],
  options: [
    { name: "name", short: "t", value: "pattern", summary: "Only tests whose name matches this regular expression" },
    { name: "only", summary: "Only tests that are marked with test.only" },
    { name: "watch", summary: "Run again whenever a file changes" },
    { name: "timeout", value: "ms", summary: "How long one test may take, in real time (default: 5000)" },
    { name: "bail", value: "N", summary: "Stop after this many failures" },
    { name: "coverage", summary: "Show which lines of the flows were run" },
    { name: "update-snapshots", short: "u", summary: "Update snapshots" },
  ],
  takesFields: false,
  takesRest: true,
  needs: "files",
  ignores: ["format"],
  logLevel: "warn",
  examples: [
    "test",
    "test flows/order.test.ts -t approved",
    "test flows --watch",
    "# what stands after -- goes to the runner: it is that of Bun",
    "test -- --rerun-each 3",
  ],

  async run({ args, flags, rest, io, interrupts, look, wiring }) {
    const timeout = readCount(flags, "timeout", TIMEOUT_MS);
    const bail = readCount(flags, "bail", BAIL);
    const pattern = flags.get("name");
    const options = [
      ...(pattern === undefined ? [] : [`--test-name-pattern=${pattern}`]),
      ...(timeout === undefined ? [] : [`--timeout=${timeout}`]),
      ...(bail === undefined ? [] : [`--bail=${bail}`]),
      ...["only", "watch", "coverage", "update-snapshots"].flatMap((name) => (flags.has(name) ? [`--${name}`] : [])),
      ...rest,
    ];
    const leave = new AbortController();
    const stopListening = interrupts.onFirst(() => leave.abort());
    try {
      const exit = await wiring.runTests({
        paths: args,
        options,
        color: look.style === "readable" && look.paint("bold", "x") !== "x",
        show: (text) => io.stdout.write(text),
        signal: leave.signal,
      });
      if (leave.signal.aborted) throw new TaskonautError("cancelled", "Stopped before all tests had run.");
      return exit;
    } finally {
      stopListening();
    }
  },
};
