// `Bun` for the user's files. The real object is final, and so are some of its members (`Bun.fetch`); others take up to
// 10 ms to read (`Bun.sql`). So a file that names `Bun` gets an import under this name: an object that inherits from
// the real one, and hides what a flow must not use.

import { outsideWatch } from "../../core/flow/determinism.ts";
import { READ_IN_TOOL, USE_TOOL } from "./advice.ts";
import { applyRules, guardValue, isAllowed } from "./areas.ts";
import { guardFunction, guardGetter } from "./guard.ts";

const MODULE = "taskonaut:bun";

/** Plain values that differ from process to process. */
const VALUES = new Set(["argv", "cwd", "embeddedFiles", "enableANSIColors", "env", "main", "origin"]);

/** The `Bun` of a flow file. A member is read only on demand. */
export function guardedBun(): object {
  // of what is allowed, some uses are refused
  applyRules(Bun, "Bun", (path) => isAllowed("Bun", path.split(".")[0] ?? ""));
  const facade = Object.create(Bun) as object;
  for (const key of Object.getOwnPropertyNames(Bun)) {
    if (isAllowed("Bun", key)) continue;
    const read = (): unknown => Reflect.get(Bun, key) as unknown;
    let guarded: { readonly value: unknown } | undefined;
    const get = VALUES.has(key)
      ? guardGetter(read, { call: `Bun.${key}`, instead: READ_IN_TOOL })
      : (): unknown => (guarded ??= { value: outsideWatch(() => guardMember(key, read())) }).value;
    Object.defineProperty(facade, key, { get, configurable: true, enumerable: true });
  }
  return Object.defineProperty(facade, "default", { value: facade });
}

function guardMember(key: string, value: unknown): unknown {
  if (key === "SQL") return guardClients(value as object);
  return typeof value === "function" || (typeof value === "object" && value !== null)
    ? guardValue(value, `Bun.${key}`)
    : value;
}

/** A database client is a function with its own methods. */
function guardClients(SQL: object): object {
  return guardFunction(SQL, {
    call: "Bun.SQL",
    instead: USE_TOOL,
    after: (client) => guardValue(client as object, "sql"),
  });
}

/** What the loader must provide: the module, and the new text of the file. */
export interface WithBun {
  readonly text: string;
  readonly module: { readonly name: string; readonly exports: Readonly<Record<string, unknown>> };
}

const IS_MODULE = /^\s*(?:import|export)\b/m;
const DECLARES =
  /\b(?:const|let|var|class|function|import|as)\s+Bun\b|\bimport\s*\{[^}]*\bBun\b[^}]*\}|\b(?:const|let|var)\s*\{[^{}]*\bBun\b(?!\s*:)[^{}]*\}\s*=/;
/** A member of the global object, under any of its names. */
const MEMBER = /(?<![.\w$])(?:globalThis|global|self)\s*\??\.\s*Bun\b/g;
const TAKEN_APART = /(\{[^{}]*\bBun\b[^{}]*\}\s*=\s*)(?:globalThis|global|self)\b(?!\s*[.?[(])/g;
/** A name that no user's file has. */
const ALIAS = "$taskonautBun";
const IMPORT = /(\b(?:import|export)\s+(?:[^'";]*?\s+from\s*)?)(["'])bun\2/g;

/**
 * The text with the guarded `Bun`. Undefined if the text does not name it. Lines do not move. Columns move only after a
 * specifier "bun" or a `globalThis.Bun`.
 */
export function withGuardedBun(text: string): WithBun | undefined {
  if (!/\bBun\b|["']bun["']/.test(text) || !IS_MODULE.test(text)) return undefined;
  const names = [...new Set([...text.matchAll(IMPORT)].flatMap(([, clause = ""]) => namesIn(clause)))];
  const name = [MODULE, ...names.toSorted()].join("/");
  const rewritten = text
    .replaceAll(IMPORT, (_all, clause: string) => `${clause.replace(/\*\s*as\s+/, "")}${JSON.stringify(name)}`)
    .replaceAll(MEMBER, () => ALIAS)
    .replaceAll(TAKEN_APART, (_all, taken: string) => `${taken}({ __proto__: globalThis, Bun: ${ALIAS} })`)
    .replaceAll(/\brequire\(\s*(["'])bun\1\s*\)/g, "Bun")
    .replaceAll(/\bimport\(\s*(["'])bun\1\s*\)/g, "Promise.resolve(Bun)");
  const facade = guardedBun();
  const exports = Object.fromEntries(
    ["default", ...names].flatMap((each) => (each in facade ? [[each, Reflect.get(facade, each) as unknown]] : [])),
  );
  const locals = [...(DECLARES.test(text) ? [] : ["Bun"]), ...(rewritten.includes(ALIAS) ? [ALIAS] : [])];
  const imports = locals.map((local) => `\nimport ${local} from ${JSON.stringify(name)};\n`);
  return {
    // at the end, so that nothing moves: imports are hoisted
    text: `${rewritten}${imports.join("")}`,
    module: { name, exports },
  };
}

/** `import { fetch, type Server, sql as db }` → fetch, sql. */
export function namesIn(clause: string): string[] {
  const [, list = ""] = /\{([^}]*)\}/.exec(clause) ?? [];
  return list
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("type "))
    .map((each) => each.split(/\s+as\s+/)[0] ?? "");
}
