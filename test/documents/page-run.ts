// Runs the commands of a page as a reader would: one shell in a real pseudo-terminal, in a folder of its own, with the files that
// the page shows. A block for a second terminal gets a terminal of its own, and is left running until the page has ended.

import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Terminal } from "@xterm/headless";
import type { Subprocess } from "bun";
import { binary } from "../e2e/binary.ts";
import { Transcript } from "../e2e/transcript.ts";
import { until } from "../support/until.ts";
import { type Block, type Command, commandsOf, placeOf } from "./blocks.ts";
import { unlike } from "./likeness.ts";

/** Of a terminal as most people have it, a little wider. */
const COLUMNS = 100;

/** Of a whole page: only what goes wrong takes so long. */
const TIMEOUT_MS = 30_000;

const CURL = join(import.meta.dir, "curl.ts");

export interface PageOptions {
  /** What stands on the page, and what is typed in its place: addresses that are free here. */
  readonly replaced: readonly (readonly [string, string])[];
}

type Step =
  | { readonly kind: "command"; readonly block: Block; readonly command: Command }
  | { readonly kind: "file"; readonly block: Block; readonly path: string }
  | { readonly kind: "terminal"; readonly block: Block; readonly command: Command };

/** Gives what was not as the page shows it, a text for each fault. */
export async function runPage(blocks: readonly Block[], { replaced }: PageOptions): Promise<readonly string[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "taskonaut-docs-")));
  const home = join(folder, "home");
  const steps = blocks.flatMap(stepsOf);
  const typed = (text: string): string => replaced.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  await prepare(folder, home, steps, typed);
  const shells: Shell[] = [];
  const open = (script: string, cwd = home): Shell => {
    const shell = new Shell(["/bin/sh", "-c", script], { cwd, home, bin: join(folder, "bin") });
    shells.push(shell);
    return shell;
  };
  try {
    return await follow(open(scriptOf(folder, steps)), folder, home, steps, (command, cwd) =>
      open(typed(command), cwd),
    );
  } finally {
    await Promise.all(shells.map((shell) => shell.end()));
    await rm(folder, { recursive: true, force: true });
  }
}

function stepsOf(block: Block): readonly Step[] {
  if (block.file !== undefined) return [{ kind: "file", block, path: block.file }];
  if (block.language !== "sh" && block.language !== "console") return [];
  const kind = block.remark === "second terminal" ? "terminal" : "command";
  return commandsOf(block).map((command) => ({ kind, block, command }));
}

/** Each command stands in a file of its own, so that the shell takes it as it is. */
async function prepare(
  folder: string,
  home: string,
  steps: readonly Step[],
  typed: (text: string) => string,
): Promise<void> {
  for (const name of ["home/dist", "bin", "steps"]) await mkdir(join(folder, name), { recursive: true });
  await symlink(await binary(), join(folder, "bin/taskonaut"));
  await symlink(await binary(), join(home, "dist/taskonaut"));
  await writeFile(join(folder, "bin/curl"), `#!/bin/sh\nexec '${process.execPath}' '${CURL}' "$@"\n`);
  await chmod(join(folder, "bin/curl"), 0o755);
  for (const [at, step] of steps.entries()) {
    const text = step.kind === "file" ? step.block.text : step.command.text;
    await writeFile(join(folder, "steps", String(at)), `${typed(text)}\n`);
    if (step.kind === "file") await mkdir(dirname(join(home, step.path)), { recursive: true });
  }
}

/** Before and after each step it writes a mark that no program prints. */
function scriptOf(folder: string, steps: readonly Step[]): string {
  const lines = steps.flatMap((step, at) => {
    const file = join(folder, "steps", String(at));
    const doing = {
      command: `. '${file}'`,
      file: `cp '${file}' '${step.kind === "file" ? step.path : ""}'`,
      terminal: `pwd > '${file}.folder'; until [ -e '${file}.ready' ]; do sleep 0.05; done`,
    }[step.kind];
    return [String.raw`printf '\033]777;begin;${at}\007'`, doing, String.raw`printf '\033]777;end;${at};%s\007' $?`];
  });
  return lines.join("\n");
}

async function follow(
  shell: Shell,
  folder: string,
  home: string,
  steps: readonly Step[],
  openSecond: (command: string, cwd: string) => Shell,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const told = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replaceAll(home, "/home/ada"));
  for (const [at, step] of steps.entries()) {
    const fault = (what: string): void => {
      const doing = step.kind === "file" ? step.path : step.command.text;
      faults.push(`${placeOf(step.block)}: ${doing}\n${what}`);
    };
    if (step.kind === "terminal") {
      const second = openSecond(step.command.text, await folderOf(join(folder, "steps", String(at))));
      const wanted = [...(step.command.output ?? []), "…"];
      const isThere = async (): Promise<boolean> => unlike(wanted, told(await second.lines())) === undefined;
      await until(isThere, placeOf(step.block), TIMEOUT_MS).catch(async () =>
        fault(unlike(wanted, told(await second.lines())) ?? ""),
      );
      await writeFile(join(folder, "steps", `${at}.ready`), "");
    }
    const ended = await shell.step(at);
    if (ended === undefined) {
      fault(`did not end; it printed\n${shell.raw.slice(-2000)}`);
      break;
    }
    if (step.kind !== "command") continue;
    const lines = told(await screenOf(ended.raw));
    if (ended.exit !== step.command.exit)
      fault(`exited with ${ended.exit}, not ${step.command.exit}; it printed\n${lines.join("\n").trimEnd()}`);
    const difference = step.command.output === undefined ? undefined : unlike(step.command.output, lines);
    if (difference !== undefined) fault(difference);
  }
  return faults;
}

/** Where the shell stands: a second terminal is opened there. */
function folderOf(step: string): Promise<string> {
  return until(async () => {
    const told = await readFile(`${step}.folder`, "utf8").catch(() => "");
    return told.endsWith("\n") && told.trim();
  }, "the shell says where it stands");
}

class Shell {
  readonly #said = new Transcript(TIMEOUT_MS);
  readonly #child: Subprocess;

  constructor(
    command: readonly string[],
    { cwd, home, bin }: { readonly cwd: string; readonly home: string; readonly bin: string },
  ) {
    this.#child = Bun.spawn([...command], {
      cwd,
      env: { PATH: `${bin}:/usr/bin:/bin`, HOME: home, LANG: "C.UTF-8", TERM: "xterm-256color", TZ: "UTC" },
      terminal: { cols: COLUMNS, rows: 40, data: (_terminal, chunk) => this.#said.add(chunk) },
      onExit: () => this.#said.end(),
    });
  }

  get raw(): string {
    return this.#said.raw;
  }

  lines(): Promise<readonly string[]> {
    return screenOf(this.raw);
  }

  /** Waits for the end of that step; undefined: it does not come. */
  async step(at: number): Promise<{ readonly raw: string; readonly exit: number } | undefined> {
    const mark = String.raw`\u001B\]777;`;
    const pattern = new RegExp(`${mark}begin;${at}\u0007([^]*?)${mark}end;${at};(\\d+)\u0007`);
    const found = await this.#said.see(pattern).catch(() => undefined);
    return found && { raw: found[1] ?? "", exit: Number(found[2]) };
  }

  async end(): Promise<void> {
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      this.#child.kill("SIGKILL");
    }
    await this.#child.exited;
    this.#child.terminal?.close();
  }
}

/** What a person sees in the end, line by line; a line that the terminal has wrapped is one. */
async function screenOf(raw: string): Promise<readonly string[]> {
  const terminal = new Terminal({ cols: COLUMNS, rows: 500, scrollback: 5000, allowProposedApi: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  terminal.write(raw, resolve);
  await promise;
  const lines: string[] = [];
  for (let at = 0; at < terminal.buffer.active.length; at++) {
    const line = terminal.buffer.active.getLine(at);
    const text = line?.translateToString(false) ?? "";
    if (line?.isWrapped === true) lines.push((lines.pop() ?? "") + text);
    else lines.push(text);
  }
  terminal.dispose();
  return lines.map((line) => line.trimEnd());
}
