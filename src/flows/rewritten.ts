// The user's own files that are loaded in other words than they are written in: with marks in their `finally` blocks
// (`core/flow/shield.ts`), and with a `Bun` that has guards. No line of them moves.

import { enterFinally } from "../core/flow/shield.ts";
import { withGuardedBun } from "./guards/bun.ts";
import { withGuardedEnv } from "./guards/env.ts";
import { FINALLY_KEY, markFinally } from "./mark-finally.ts";
import { isScript, loaderOf, type Source } from "./sources.ts";

/** Before the file is imported. Does nothing for one that is loaded as it is. */
export function provideRewritten({ path, text, isOwn }: Source): void {
  if (!isOwn || !isScript(path)) return;
  const marked = withMarks(withGuardedEnv(text));
  const withBun = withGuardedBun(marked);
  const contents = withBun?.text ?? marked;
  if (contents === text) return;
  Bun.plugin({
    name: `taskonaut: ${path}`,
    setup(build) {
      if (withBun)
        build.module(withBun.module.name, () => ({ loader: "object", exports: { ...withBun.module.exports } }));
      build.onLoad({ filter: new RegExp(`^${RegExp.escape(path)}$`) }, () => ({ contents, loader: loaderOf(path) }));
    },
  });
}

/** The text with marks in its `finally` blocks, which will find whom to tell. */
export function withMarks(text: string): string {
  const marked = markFinally(text);
  if (marked !== text) Reflect.set(globalThis, Symbol.for(FINALLY_KEY), enterFinally);
  return marked;
}
