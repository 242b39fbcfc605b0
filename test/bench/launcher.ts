// Starts programs, in turns, and prints how long each took and how much memory it had at its peak. A process of its own
// and a small one, because Linux counts the peak of the process that starts a program as the program's own.
// argv: how often, then each command as JSON. stdout: Launch[] as JSON.

export interface Launch {
  /** Which of the commands. */
  readonly command: number;
  readonly wallMs: number;
  readonly peakBytes: number;
}

const [runs, ...commands] = process.argv.slice(2);
const launches: Launch[] = [];
for (let run = 0; run < Number(runs); run++) {
  for (const [command, json] of commands.entries()) launches.push(launch(command, JSON.parse(json) as string[]));
}
process.stdout.write(JSON.stringify(launches));

function launch(command: number, words: string[]): Launch {
  const started = performance.now();
  const ended = Bun.spawnSync(words, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  const wallMs = performance.now() - started;
  if (!ended.success) throw new Error(`${words.join(" ")} ended with ${ended.exitCode}.`);
  return { command, wallMs, peakBytes: ended.resourceUsage.maxRSS };
}
