// What is done to a user's files before one of them is imported, wherever they run.

import { refuseDropped } from "./dropped.ts";
import { guardPackage } from "./guards/packages.ts";
import { provideRewritten } from "./rewritten.ts";
import type { Sources } from "./sources.ts";
import { refuseTsconfigOptions } from "./tsconfig.ts";

/** Throws flow_load_failed for what a file must not have. */
export async function prepareSources(
  { sources, idPackages }: Sources,
  rewrite: typeof provideRewritten = provideRewritten,
): Promise<void> {
  for (const source of sources) {
    if (source.isOwn) {
      refuseTsconfigOptions(source);
      refuseDropped(source.path, source.text);
    }
    rewrite(source);
  }
  for (const [path, name] of idPackages) await guardPackage(name, path);
}

/** In memory, made when the first file asks for them: what is imported by these names. */
export function provideModules(modules: Readonly<Record<string, object>>): void {
  Bun.plugin({
    name: "taskonaut",
    setup(build) {
      for (const [name, exports] of Object.entries(modules))
        build.module(name, () => ({ loader: "object", exports: { ...exports } }));
    },
  });
}
