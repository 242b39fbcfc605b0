// Makes docs/terminal-light.svg and docs/terminal-dark.svg: dist/taskonaut runs the README's flow in a real
// pseudo-terminal. `bun run build && bun .scripts/record-terminal.ts`

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DARK, LIGHT, pictureOf } from "./terminal-picture.ts";

const ROOT = join(import.meta.dir, "..");
const COLUMNS = 102;
const COMMANDS = [
  "taskonaut run-flow checkout --sku tea --qty 2",
  `taskonaut signal-task @last approved --payload '{"by":"Ada"}' > signal.json`,
  "taskonaut run-task @last",
];

const home = await mkdtemp(join(tmpdir(), "taskonaut-picture-"));
try {
  const readme = await Bun.file(join(ROOT, "README.md")).text();
  const [, flow] = /^```ts\n(\/\/ flows\/checkout\.ts\n.*?)^```$/ms.exec(readme) ?? [];
  if (flow === undefined) throw new Error("README.md has no block that begins with // flows/checkout.ts.");
  await Bun.write(join(home, "flows/checkout.ts"), flow);
  let screen = "";
  for (const command of COMMANDS) screen += `\u001B[1m$ ${command}\u001B[0m\r\n${await run(command)}\r\n`;
  for (const [name, theme] of [
    ["light", LIGHT],
    ["dark", DARK],
  ] as const) {
    await Bun.write(join(ROOT, `docs/terminal-${name}.svg`), await pictureOf(screen, COLUMNS, theme));
  }
} finally {
  await rm(home, { recursive: true });
}

/** Returns everything that the command writes to its terminal. */
async function run(command: string): Promise<string> {
  let written = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn(["/bin/sh", "-c", command], {
    cwd: home,
    env: { PATH: `${join(ROOT, "dist")}:/usr/bin:/bin`, HOME: home, TERM: "xterm-256color", LANG: "C.UTF-8" },
    terminal: {
      cols: COLUMNS,
      rows: 50,
      data: (_terminal, chunk) => {
        written += decoder.decode(chunk, { stream: true });
      },
    },
  });
  const exit = await child.exited;
  child.terminal?.close();
  if (exit !== 0) throw new Error(`${command} exited with ${exit}:\n${written}`);
  return written;
}
