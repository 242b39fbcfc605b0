// The guarded modules of the runtime. By default each function of such a module is guarded, so that one which a later
// version adds is too; `pure` names those whose result depends on their arguments alone.
//
// A module is guarded when the first flow file that imports it is loaded: to load all of them takes 40 ms, most flows
// import none. In Bun 1.4.5 `syncBuiltinESMExports()` changes nothing, and named imports see only what the module held when
// it was first linked as an ES module, which our own code may have done; forgetting that link (`delete require.cache[…]`)
// makes the next import see the guards. Functions that were linked before, our own, stay as they are.

import { createRequire } from "node:module";
import { GIVE_NO_STREAM, USE_NOW, USE_SLEEP, USE_TOOL } from "./advice.ts";
import { wantsLastModified } from "./globals.ts";
import { GUARDED, guardMembers, propertyOf, type Judge } from "./guard.ts";
import { wantsAbsolutePath, wantsOneAbsolute, wantsTwoAbsolute } from "./paths.ts";

/**
 * Guards a module by its specifier (`fs`, `node:fs`, `bun:sqlite`), and the one that hangs on it (`fs.promises`). Does
 * nothing for one that needs no guard or has it.
 */
export function guardModule(specifier: string): void {
  const name = specifier.replace(/^node:/, "");
  for (const each of [name, `${name}/promises`]) {
    const rule = Object.hasOwn(RULES, each) ? RULES[each] : undefined;
    if (rule) guardOne(each, rule);
  }
}

/** Guards them all: for a flow whose imports are too many to look through. */
export function guardModules(): void {
  for (const name of Object.keys(RULES)) guardModule(name);
}

function guardOne(name: string, rule: ModuleRule): void {
  const require = createRequire(import.meta.url);
  const module = require(name.startsWith("bun:") ? name : `node:${name}`) as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(module, GUARDED)) return;
  Object.defineProperty(module, GUARDED, { value: true });
  // a module's namespace keeps what a getter gave when it was linked, so that is what must be guarded
  for (const key of rule.getters ?? [])
    Object.defineProperty(module, key, { value: module[key], configurable: true, enumerable: true, writable: true });
  rule.warm?.(module);
  for (const [key, instead] of Object.entries(rule.judged ?? {}))
    guardMembers(module, [key], () => ({ call: `${name}.${key}`, instead }));
  const isPure = pureTest(rule.pure);
  const keys = Object.keys(module).filter((key) => !isPure(key) && propertyOf(module, key)?.get === undefined);
  guardMembers(module, keys, (key) => ({ call: `${name}.${key}`, instead: rule.instead ?? USE_TOOL }));
  for (const className of rule.classes ?? []) {
    const { prototype } = module[className] as { readonly prototype: object };
    const methods = Object.getOwnPropertyNames(prototype).filter((key) => key !== "constructor");
    guardMembers(prototype, methods, (key) => ({ call: `${className}.${key}`, instead: rule.instead ?? USE_TOOL }));
  }
  for (const alias of [name, `node:${name}`]) Reflect.deleteProperty(require.cache, alias);
}

function pureTest(pure: ModuleRule["pure"]): (name: string) => boolean {
  if (pure instanceof RegExp) return (name) => pure.test(name);
  const names = new Set(pure?.split(" "));
  return (name) => names.has(name);
}

interface ModuleRule {
  readonly instead?: string;
  /** Names with spaces between them, or their form. */
  readonly pure?: string | RegExp;
  /** Functions whose use tells whether they are pure. */
  readonly judged?: Readonly<Record<string, Judge>>;
  /** Classes whose instances, made outside of a flow, give results at once. */
  readonly classes?: readonly string[];
  /** Loads what the module would load under the watch of a flow, and guards would take for the flow's own doing. */
  readonly warm?: (module: Readonly<Record<string, unknown>>) => void;
  /** Getters are left alone, because to read one may load much; but these are guarded. */
  readonly getters?: readonly string[];
}

const PATHS = { resolve: wantsOneAbsolute, relative: wantsTwoAbsolute };

/** A text for a terminal holds its colours if there is one. */
const wantsNoStream: Judge = ([, , options]) =>
  (options as { readonly validateStream?: unknown } | undefined)?.validateStream === false ? undefined : GIVE_NO_STREAM;

const RULES: Readonly<Record<string, ModuleRule>> = {
  buffer: { pure: /^/, judged: { File: wantsLastModified } },
  child_process: {},
  cluster: {},
  crypto: {
    pure: "Hash Hmac KeyObject createCipheriv createDecipheriv createHash createHmac createPrivateKey createPublicKey createSecretKey createVerify getCipherInfo getCiphers getCurves getHashes hash hkdfSync pbkdf2Sync scryptSync timingSafeEqual verify",
    getters: ["pseudoRandomBytes", "prng", "rng"],
  },
  dgram: {},
  dns: {},
  "dns/promises": {},
  fs: {},
  "fs/promises": {},
  http: { pure: "validateHeaderName validateHeaderValue" },
  http2: { pure: "getDefaultSettings getPackedSettings getUnpackedSettings" },
  https: {},
  inspector: {},
  "inspector/promises": {},
  module: { pure: "Module isBuiltin wrap" },
  net: { pure: "isIP isIPv4 isIPv6" },
  os: { getters: ["tmpdir"] },
  path: { pure: /^/, judged: PATHS },
  "path/posix": { pure: /^/, judged: PATHS },
  // its members are guarded as those of the global
  process: { pure: /^/ },
  // it adds to the global class when it is loaded
  perf_hooks: { instead: USE_NOW, classes: ["Performance"] },
  readline: {},
  "readline/promises": {},
  repl: {},
  sqlite: { classes: ["DatabaseSync", "StatementSync"] },
  timers: { instead: USE_SLEEP },
  "timers/promises": { instead: USE_SLEEP },
  tls: {},
  tty: {},
  url: { pure: /^/, judged: { pathToFileURL: wantsAbsolutePath } },
  util: {
    pure: /^/,
    judged: { styleText: wantsNoStream },
    warm: ({ styleText }) => (styleText as (format: string, text: string) => string)("red", ""),
  },
  v8: { pure: "Deserializer DefaultDeserializer DefaultSerializer Serializer deserialize serialize" },
  vm: {},
  wasi: {},
  worker_threads: {},
  zlib: { pure: /Sync$|^crc32$/ },
  "bun:ffi": {},
  "bun:jsc": {},
  "bun:sqlite": { classes: ["Database", "Statement"] },
};
