// Rewrites files before they are loaded. Their `finally` blocks get marks (`core/flow/shield.ts`), and the user's own
// files also get guards for `Bun`, the process's settings and the place of the file. No line moves.

import { enterFinally } from "../core/flow/shield.ts";
import { withGuardedBun } from "./guards/bun.ts";
import { withGuardedEnv, withGuardedProcess } from "./guards/env.ts";
import { withGuardedMeta, withGuardedPlace } from "./guards/meta.ts";
import { FINALLY_KEY, markFinally } from "./mark-finally.ts";
import { isScript, loaderOf, type Source } from "./sources.ts";

/** Call it before the file is imported. Does nothing if the file needs no changes. */
export function provideRewritten({ path, text, isOwn }: Source): void {
  if (!isScript(path)) return;
  if (!isOwn) return HAS_BRANCHES.test(text) ? provide(path, text, withMarks(text)) : undefined;
  const marked = withGuardedMeta(withMarks(withGuardedEnv(text)));
  const withPlace = withGuardedPlace(marked, path);
  const withProcess = withGuardedProcess(withPlace?.text ?? marked);
  const withBun = withGuardedBun(withProcess?.text ?? withPlace?.text ?? marked);
  const contents = withBun?.text ?? withProcess?.text ?? withPlace?.text ?? marked;
  provide(path, text, contents, [withPlace?.module, withProcess?.module, withBun?.module]);
}

/** A package with modules that contain branches of flows: a team may share them like this. */
const HAS_BRANCHES = /\bfrom\s*(["'])taskonaut\1/;

/** Does nothing if the text is unchanged. */
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

/** The text with marks in its `finally` blocks. Also sets the listener for them. */
export function withMarks(text: string): string {
  const marked = markFinally(text);
  if (marked !== text) Reflect.set(globalThis, Symbol.for(FINALLY_KEY), enterFinally);
  return marked;
}
