// What the program loads before it knows which command it is. Each of these costs every start milliseconds.

import { expect, test } from "bun:test";
import { dirname, join, normalize } from "node:path";
import { BUNDLE } from "../../.scripts/bundle.ts";

const ROOT = join(import.meta.dir, "../..");

const started = await loadedAtStart();

test("the start loads no sockets, no streams, no cryptography and no questions", () => {
  const modules = ["net", "tls", "stream", "tty", "readline", "crypto", "perf_hooks", "dns/promises", "worker_threads"];
  expect([...started.imports].filter((name) => modules.includes(name.replace(/^node:/, "")))).toEqual([]);
  expect(started.imports.has("fs")).toBe(true);
});

test("the start loads no engine, no store and no server", () => {
  // each text is in the program, and belongs to the part that is named
  const parts = {
    "the engine": "This engine has a worker already.",
    "a store": "begin immediate",
    "the server": "text/event-stream",
    "the client for PostgreSQL": "CONNECTION_CLOSED",
  };
  for (const [part, text] of Object.entries(parts)) {
    expect(`${part}: ${started.all.includes(text)}`).toBe(`${part}: true`);
    expect(`${part}: ${started.text.includes(text)}`).toBe(`${part}: false`);
  }
});

/** Walks from the entry through the imports that are not made later. */
async function loadedAtStart(): Promise<{ imports: ReadonlySet<string>; text: string; all: string }> {
  const { outputs } = await Bun.build({
    ...BUNDLE,
    bytecode: false,
    sourcemap: "none",
    target: "bun",
    entrypoints: [join(ROOT, "src/main.ts")],
    define: { BUILD_COMMIT: '"test"', "process.env.NODE_ENV": '"production"' },
  });
  const texts = new Map<string, string>();
  for (const output of outputs) texts.set(normalize(output.path), await output.text());
  const transpiler = new Bun.Transpiler({ loader: "js" });
  const imports = new Set<string>();
  const seen = new Set<string>();
  const walk = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { kind, path: name } of transpiler.scanImports(texts.get(path) ?? "")) {
      if (kind !== "import-statement") continue;
      if (name.startsWith(".")) walk(normalize(join(dirname(path), name)));
      else imports.add(name);
    }
  };
  const entry = outputs.find(({ kind }) => kind === "entry-point");
  walk(normalize(entry?.path ?? ""));
  return {
    imports,
    text: [...seen].map((path) => texts.get(path) ?? "").join("\n"),
    all: [...texts.values()].join("\n"),
  };
}
