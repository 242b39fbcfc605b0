// Where a file lies: `import.meta.dir` and the like, `__dirname` and `__filename`. It differs from machine to machine. So
// it works as usual when a file is loaded and in tools, and is refused in a running flow.

import { useOf } from "../name-use.ts";
import { readTokens } from "../tokens.ts";
import { READ_PLACE_IN_TOOL } from "./advice.ts";
import { guardGetter } from "./guard.ts";

/** The members of `import.meta` that tell the folder. */
export const META_MEMBERS = ["dir", "dirname", "filename", "path", "url", "resolve", "resolveSync"] as const;

/** The key of `globalThis` under which a file finds `guardMeta`. */
const META_KEY = "taskonaut.meta";

/** Called by the file, whose object nobody else can reach. */
function guardMeta(meta: object): void {
  for (const member of META_MEMBERS) {
    const value: unknown = Reflect.get(meta, member);
    guardMember(meta, member, `import.meta.${member}`, value);
  }
}

/** Its flows run later than the end of the file: that is early enough. */
export function withGuardedMeta(text: string): string {
  if (!/\bmeta\b/.test(text)) return text;
  const tokens = readTokens(text) ?? [];
  const hasMeta = tokens.some((token, at) => token.text === "meta" && tokens[at - 2]?.text === "import");
  if (!hasMeta) return text;
  Reflect.set(globalThis, Symbol.for(META_KEY), guardMeta);
  return `${text}\n;globalThis[Symbol.for(${JSON.stringify(META_KEY)})](import.meta);\n`;
}

const IS_MODULE = /^\s*(?:import|export)\b/m;
/** Texts as long as the names that they replace, so that nothing moves. */
const INSTEAD: Readonly<Record<string, string>> = { __dirname: "$meta.dir", __filename: "$meta.path" };

/** What the loader must provide: the module, and the new text of the file. */
export interface WithMeta {
  readonly text: string;
  readonly module: { readonly name: string; readonly exports: Readonly<Record<string, unknown>> };
}

/** Undefined if the file names neither, or has a variable of that name: that one is left alone. */
export function withGuardedPlace(text: string, path: string): WithMeta | undefined {
  if (!/\b__(?:dirname|filename)\b/.test(text) || !IS_MODULE.test(text)) return undefined;
  const tokens = readTokens(text) ?? [];
  let replaced = "";
  let copied = 0;
  for (const [at, { text: token, start, end }] of tokens.entries()) {
    if (!Object.hasOwn(INSTEAD, token)) continue;
    const use = useOf(tokens, at);
    if (use === "declares") return undefined;
    if (use === "names") continue;
    replaced += text.slice(copied, start) + INSTEAD[token];
    copied = end;
  }
  if (copied === 0) return undefined;
  const name = `taskonaut:meta${path}`;
  const meta = {};
  guardMember(meta, "dir", "__dirname", path.slice(0, path.lastIndexOf("/")) || "/");
  guardMember(meta, "path", "__filename", path);
  const alias = `\nimport { $meta } from ${JSON.stringify(name)};\n`;
  return { text: replaced + text.slice(copied) + alias, module: { name, exports: { $meta: meta } } };
}

function guardMember(owner: object, member: string, call: string, value: unknown): void {
  const get = guardGetter(() => value, { call, instead: READ_PLACE_IN_TOOL });
  Object.defineProperty(owner, member, { get, configurable: true });
}
