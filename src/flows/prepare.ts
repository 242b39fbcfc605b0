// Prepares a user's files before the first import, in every process that loads flows.

import { refuseDropped } from "./dropped.ts";
import { guardPackage } from "./guards/packages.ts";
import { provideRewritten } from "./rewritten.ts";
import type { Sources } from "./sources.ts";
import { refuseTsconfigOptions } from "./tsconfig.ts";

/** Throws flow_load_failed if a file has something that it must not have. */
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

/** In-memory modules under these names, made when a file first imports them. */
export function provideModules(modules: Readonly<Record<string, object>>): void {
  Bun.plugin({
    name: "taskonaut",
    setup(build) {
      for (const [name, exports] of Object.entries(modules))
        build.module(name, () => ({ loader: "object", exports: { ...exports } }));
    },
  });
}
