// Packages that make ids. They keep what they draw: bytes for the next ids, the last of them, a counter. So what one of
// their calls does depends on what the process has done before, and a flow may have none of it, whether they draw or not.

import { USE_UUID } from "./advice.ts";
import { isAllowed } from "./areas.ts";
import { guardFunction, isGuarded } from "./guard.ts";
import { PURE } from "./pure.ts";

/** `uuid` of `uuid`, `nanoid` of `nanoid/non-secure`, where that is a package of this kind. */
export function idPackageOf(specifier: string): string | undefined {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return Object.hasOwn(PURE, `npm:${name}`) ? name : undefined;
}

/**
 * Puts a module of guarded exports in the place of the package's file, for everybody that is loaded from now on. Its own
 * file is loaded first, and forgotten.
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

/** A maker of makers too: `customAlphabet("abc")` gives a function that makes ids. */
function guardMaker(maker: object, call: string): object {
  return guardFunction(maker, {
    call,
    instead: USE_UUID,
    after: (result) => (typeof result === "function" ? guardMaker(result, `${call}()`) : result),
  });
}
