// The user's own files that are loaded in other words than they are written in: with marks in their `finally` blocks
// (`core/flow/shield.ts`), and with a `Bun` and settings of the process that have guards. No line of them moves.

import { enterFinally } from "../core/flow/shield.ts";
import { withGuardedBun } from "./guards/bun.ts";
import { withGuardedEnv, withGuardedProcess } from "./guards/env.ts";
import { FINALLY_KEY, markFinally } from "./mark-finally.ts";
import { isScript, loaderOf, type Source } from "./sources.ts";

/** Before the file is imported. Does nothing for one that is loaded as it is. */
export function provideRewritten({ path, text, isOwn }: Source): void {
  if (!isOwn || !isScript(path)) return;
  const marked = withMarks(withGuardedEnv(text));
  const withProcess = withGuardedProcess(marked);
  const withBun = withGuardedBun(withProcess?.text ?? marked);
  const contents = withBun?.text ?? withProcess?.text ?? marked;
  if (contents === text) return;
  Bun.plugin({
    name: `taskonaut: ${path}`,
    setup(build) {
      for (const provided of [withProcess, withBun])
        if (provided) {
          const { name, exports } = provided.module;
          build.module(name, () => ({ loader: "object", exports: { ...exports } }));
        }
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
