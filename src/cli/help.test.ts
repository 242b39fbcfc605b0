import { expect, test } from "bun:test";
import { Signals } from "../../test/support/cli.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { readArgv } from "./argv.ts";
import { writeCommandHelp, writeHelp, writeOptionsHelp } from "./help.ts";
import { GLOBAL_OPTIONS, globalOptionsOf } from "./options.ts";
import { COMMAND_GROUPS, COMMANDS } from "./run-cli.ts";

const plain = (columns: number) => ({
  columns,
  program: "taskonaut",
  paint: (_color: string, text: string) => text,
});

test("--help and --version wire nothing", async () => {
  for (const argv of [["--help"], ["-h"], ["get-task", "--help"], ["--version"], ["--version", "--json"]]) {
    const { code, stdout, settings } = await cli(argv);
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
    expect(settings).toBeUndefined();
  }
  expect((await cli(["--version"])).stdout).toBe("taskonaut 1.2.3 (commit abc1234, Bun 1.4.5)\n");
});

test("version, --version, -v and -V say the same, whatever the environment says", async () => {
  const env = { LOG_LEVEL: "loud", TASKONAUT_API_URL: "nonsense" };
  const spellings = [["version"], ["--version"], ["-v"], ["-V"]];
  for (const argv of spellings) {
    expect(await cli(argv, { env })).toMatchObject({
      code: 0,
      stdout: "taskonaut 1.2.3 (commit abc1234, Bun 1.4.5)\n",
      stderr: "",
    });
    const { stdout } = await cli([...argv, "--json"], { env });
    expect(JSON.parse(stdout)).toEqual({ version: "1.2.3", commit: "abc1234", bun: "1.4.5" });
  }
});

test("help shows what --help shows, whatever the environment says", async () => {
  const env = { LOG_LEVEL: "loud", LOG_STYLE: "xml" };
  for (const words of [[], ...COMMANDS.map(({ name }) => [name])]) {
    const { code, stdout, stderr } = await cli(["help", ...words], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe((await cli([...words, "--help"], { env })).stdout);
  }
});

test("help of what there is not names the nearest that there is", async () => {
  for (const [word, hint] of [
    ["get-taks", "; did you mean get-task?"],
    ["list", "; did you mean get-tasks?"],
    ["option", "; did you mean options?"],
    ["frobnicate", ""],
  ] as const) {
    const { code, stdout, stderr } = await cli(["help", word]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toStartWith(`error: there is no help for "${word}"${hint}\n`);
  }
});

test("the help names every command, and that of a command its options and examples", async () => {
  const { stdout } = await cli(["--help"]);
  const names = ["run-flow", "get-task", "get-tasks", "advance-task", "run-task", "run-app", "migrate"];
  for (const name of [...names, "signal-task", "cancel-task", "retry-task", "resume-task"])
    expect(stdout).toContain(`  ${name} `);
  const help = (await cli(["run-flow", "--help"])).stdout;
  for (const part of ["run-flow [flow]", "--mode <mode>", "--max-steps <N>", "--wait", "--database-url", "Examples:"])
    expect(help).toContain(part);
});

test("the help of a command begins with what it does", async () => {
  for (const { name, summary } of COMMANDS) expect((await cli([name, "--help"])).stdout).toStartWith(`${summary}.\n`);
});

test("every command stands in one group of the help", () => {
  const shown = writeHelp(COMMAND_GROUPS, plain(80));
  for (const { title } of COMMAND_GROUPS) expect(shown).toContain(`\n${title}:\n`);
  for (const { name } of COMMANDS)
    expect([name, shown.match(new RegExp(`^  ${name} `, "gm"))?.length]).toEqual([name, 1]);
});

test.each([40, 80, 120])("at %i columns no line is wider than the terminal, but for examples", (columns) => {
  const look = plain(columns);
  const helps = [
    writeHelp(COMMAND_GROUPS, look),
    writeOptionsHelp(look),
    ...COMMANDS.map((command) => writeCommandHelp(COMMAND_GROUPS, command, look)),
  ];
  for (const help of helps) {
    const prose = help.replace(/^Examples:\n(?: {2}.*\n)*/m, "");
    for (const line of prose.split("\n")) expect([line, Bun.stringWidth(line) <= columns]).toEqual([line, true]);
    expect(help).not.toMatch(/ $/m);
    expect(help).not.toContain("\n\n\n");
  }
});

test("examples have no prompt, and each is a call that can be typed", () => {
  for (const { name, examples } of COMMANDS) {
    const calls = examples.filter((example) => !example.startsWith("#"));
    expect([name, calls.length > 0]).toEqual([name, true]);
    for (const call of calls) {
      const words = [...call.split(/ [|>] /)[0]!.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
        ([, single, double, bare]) => single ?? double ?? bare ?? "",
      );
      expect([call, readArgv(words, COMMANDS, GLOBAL_OPTIONS).problems]).toEqual([call, []]);
    }
  }
});

test("a command refuses the global options that its help does not show, and takes those that it shows", async () => {
  const values: Record<string, string> = {
    "log-level": "warn",
    flows: ".",
    "database-url": "sqlite:x",
    format: "json",
  };
  for (const command of COMMANDS) {
    const shown = globalOptionsOf(command);
    const args = command.args.filter(({ required }) => required).map(() => "x");
    const own = new Set(["help", "version", ...command.options.map(({ name }) => name)]);
    for (const option of GLOBAL_OPTIONS.filter(({ name }) => !own.has(name))) {
      const value = option.value === undefined ? [] : [values[option.name] ?? "http://127.0.0.1:1"];
      // `watch` goes on until it is told to stop
      const signals = new Signals();
      const stopping = setInterval(() => signals.send(), 1);
      const { code, stderr } = await cli([command.name, ...args, `--${option.name}`, ...value], {}, signals);
      clearInterval(stopping);
      const isRefused = new RegExp(`--${option.name}: .*(?:means nothing to|works on a database)`).test(stderr);
      expect([command.name, option.name, isRefused]).toEqual([command.name, option.name, !shown.includes(option)]);
      if (isRefused) expect(code).toBe(2);
      const help = writeCommandHelp(COMMAND_GROUPS, command, plain(80));
      expect([command.name, option.name, help.includes(`--${option.name}`)]).toEqual([
        command.name,
        option.name,
        shown.includes(option),
      ]);
    }
  }
});

test("a switch that begins with no- is not said to be on by default", async () => {
  const { stdout } = await cli(["run-app", "--help"]);
  expect(stdout).toMatch(/--no-worker .*tasks of the queue$/m);
});

test("without a command the help goes to stderr and the exit code is 2", async () => {
  const { code, stdout, stderr } = await cli([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("Run tasks:");
});

test("on a terminal titles are bold, and examples are no different from what is typed", async () => {
  const { stdout } = await cli(["get-tasks", "--help"], { isTTY: true });
  expect(stdout).toContain("\u001b[1mOptions\u001b[0m:\n");
  expect(stdout).toContain("\n  taskonaut get-tasks --limit 10\n");
});
