// Packages that make ids. They keep random bytes for the next ids, the last id, or a counter. So the effect of a call
// depends on what the process has done before, and a flow must not use them, whether a call draws new bytes or not.

import { USE_UUID } from "./advice.ts";
import { isAllowed } from "./areas.ts";
import { guardFunction, isGuarded } from "./guard.ts";
import { PURE } from "./pure.ts";

/** `uuid` for `uuid`, `nanoid` for `nanoid/non-secure`, if that is such a package. */
export function idPackageOf(specifier: string): string | undefined {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return Object.hasOwn(PURE, `npm:${name}`) ? name : undefined;
}

/**
 * Replaces the package's file with a module of guarded exports, for all files that are loaded from now on. The real
 * file is loaded first, and then forgotten.
 */
export async function guardPackage(name: string, path: string): Promise<void> {
  const real = (await import(path)) as Readonly<Record<string, unknown>>;
  if (Object.values(real).some((member) => typeof member === "function" && isGuarded(member))) return;
  const exports = guardExports(real, name);
  Reflect.deleteProperty(require.cache, path);
  Bun.plugin({
    name: `taskonaut: ${name}`,
    setup: (build) => {
      build.module(path, () => ({ loader: "object", exports }));
    },
  });
}

function guardExports(real: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const entries = Object.entries(real).map(([key, member]) => {
    if (key === "default" && typeof member === "object" && member !== null)
      return [key, guardExports(member as Readonly<Record<string, unknown>>, name)] as const;
    const isMaker = typeof member === "function" && !isAllowed(`npm:${name}`, key);
    return [key, isMaker ? guardMaker(member, `${name}.${key}`) : member] as const;
  });
  return Object.fromEntries(entries);
}

/** Also for a function that makes such functions: `customAlphabet("abc")` returns a function that makes ids. */
function guardMaker(maker: object, call: string): object {
  return guardFunction(maker, {
    call,
    instead: USE_UUID,
    after: (result) => (typeof result === "function" ? guardMaker(result, `${call}()`) : result),
  });
}
