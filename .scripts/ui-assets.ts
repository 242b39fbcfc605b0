// The dashboard's files as the server serves them: each by its URL name, with its type and its compressed bytes. Names
// contain a hash of the content, so that browsers may keep the files forever.

import { join } from "node:path";

const UI = join(import.meta.dir, "../src/ui");

/** A head of JSON, a NUL, and then all bodies: the format that `src/server/ui-files.ts` reads. */
export async function uiAssets(): Promise<Uint8Array> {
  const built = await Bun.build({
    entrypoints: [join(UI, "main.tsx")],
    target: "browser",
    minify: true,
    splitting: true,
    naming: "[name]-[hash].[ext]",
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    jsx: { runtime: "automatic", importSource: "preact", development: false },
  });
  const files: { readonly name: string; readonly type: string; readonly text: string }[] = [];
  let script = "";
  for (const artifact of built.outputs) {
    const name = artifact.path.replace(/^.*\//, "");
    if (artifact.kind === "entry-point") script = name;
    files.push({ name, type: "text/javascript; charset=utf-8", text: await artifact.text() });
  }
  const style = await named("style.css", "text/css; charset=utf-8", minified);
  const icon = await named("icon.svg", "image/svg+xml", (text) => text.trim());
  files.push(style, icon);
  const names: Readonly<Record<string, string>> = { script, style: style.name, icon: icon.name };
  const page = await Bun.file(join(UI, "index.html")).text();
  const index = page.replaceAll(/%(\w+)%/g, (_, key: string) => names[key] ?? "");
  return packed([{ name: "index.html", type: "text/html; charset=utf-8", text: index }, ...files]);
}

async function named(
  file: string,
  type: string,
  shorten: (text: string) => string,
): Promise<{ readonly name: string; readonly type: string; readonly text: string }> {
  const text = shorten(await Bun.file(join(UI, file)).text());
  return { name: file.replace(".", `-${Bun.hash(text).toString(36)}.`), type, text };
}

/** Removes comments and indentation. gzip takes care of the rest. */
function minified(css: string): string {
  return css.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/\s*\n\s*/g, "");
}

function packed(files: readonly { readonly name: string; readonly type: string; readonly text: string }[]): Uint8Array {
  const bodies = files.map(({ text }) => Bun.gzipSync(text, { level: 9 }));
  const head = files.map(({ name, type }, place) => ({ name, type, size: bodies[place]?.length ?? 0 }));
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\0`), ...bodies]);
}
