// Files that are loaded in other words than they are written in: with marks in their `finally` blocks
// (`core/flow/shield.ts`) and, the user's own, with a `Bun` and settings of the process that have guards. No line of them moves.

import { enterFinally } from "../core/flow/shield.ts";
import { withGuardedBun } from "./guards/bun.ts";
import { withGuardedEnv, withGuardedProcess } from "./guards/env.ts";
import { FINALLY_KEY, markFinally } from "./mark-finally.ts";
import { isScript, loaderOf, type Source } from "./sources.ts";

/** Before the file is imported. Does nothing for one that is loaded as it is. */
export function provideRewritten({ path, text, isOwn }: Source): void {
  if (!isScript(path)) return;
  if (!isOwn) return HAS_BRANCHES.test(text) ? provide(path, text, withMarks(text)) : undefined;
  const marked = withMarks(withGuardedEnv(text));
  const withProcess = withGuardedProcess(marked);
  const withBun = withGuardedBun(withProcess?.text ?? marked);
  const contents = withBun?.text ?? withProcess?.text ?? marked;
  provide(path, text, contents, [withProcess?.module, withBun?.module]);
}

/** A package that has branches of flows, as modules: a team shares them so. */
const HAS_BRANCHES = /\bfrom\s*(["'])taskonaut\1/;

/** Does nothing where the file is loaded as it is. */
function provide(
  path: string,
  text: string,
  contents: string,
  modules: readonly (ProvidedModule | undefined)[] = [],
): void {
  if (contents === text) return;
  Bun.plugin({
    name: `taskonaut: ${path}`,
    setup(build) {
      for (const module of modules) {
        if (module) build.module(module.name, () => ({ loader: "object", exports: { ...module.exports } }));
      }
      build.onLoad({ filter: new RegExp(`^${RegExp.escape(path)}$`) }, () => ({ contents, loader: loaderOf(path) }));
    },
  });
}

interface ProvidedModule {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The text with marks in its `finally` blocks, which will find whom to tell. */
export function withMarks(text: string): string {
  const marked = markFinally(text);
  if (marked !== text) Reflect.set(globalThis, Symbol.for(FINALLY_KEY), enterFinally);
  return marked;
}
