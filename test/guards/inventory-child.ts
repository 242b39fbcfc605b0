// Prints, as JSON, every name of the runtime in use that is neither allowed nor refused, and every allowed name that the
// runtime does not have. A process of its own: it guards all there is.

import { builtinModules, createRequire } from "node:module";
import { guardedBun } from "../../src/flows/guards/bun.ts";
import { installGuards } from "../../src/flows/guards.ts";
import { isGuarded } from "../../src/flows/guards/guard.ts";
import { guardModule } from "../../src/flows/guards/modules.ts";
import { INSTANCES, LEFT, PURE } from "../../src/flows/guards/pure.ts";

const open: string[] = [];
const present = new Set<string>();
const looked = new Set<object>();
let names = 0;

const require = createRequire(import.meta.url);
installGuards();
walkArea(globalThis, "");
walkArea(guardedBun(), "Bun", Bun);
for (const name of builtinModules) {
  const area = name.includes(":") ? name : `node:${name}`;
  if (area === "bun" || area === "node:bun" || Object.hasOwn(LEFT, area)) continue;
  guardModule(name);
  walkArea(require(name) as object, area);
}
const missing = Object.entries(PURE).flatMap(([area, text]) =>
  area.startsWith("npm:") ? [] : text.split(/\s+/).flatMap((key) => missingName(area, key)),
);
await Bun.write(Bun.stdout, JSON.stringify({ open: open.toSorted(), missing, names }));
process.exit();

function missingName(area: string, key: string): string[] {
  return key === "" || key === "*" || present.has(join(area, key)) ? [] : [join(area, key)];
}

/** What is allowed is passed over, but for the areas inside of it. */
function walkArea(owner: object, area: string, inherited?: object): void {
  const allowed = new Set((PURE[area] ?? "*").split(/\s+/));
  // statics of a guarded class are those of the class
  const parent: unknown = Object.getPrototypeOf(owner);
  if (typeof owner === "function" && isGuarded(owner) && isObject(parent) && parent !== Function.prototype)
    walkArea(parent, area);
  for (const key of new Set([...Object.getOwnPropertyNames(owner), ...Object.getOwnPropertyNames(inherited ?? {})])) {
    const path = join(area, key);
    present.add(path);
    if (isHead(owner, key) && !hasArea(path)) continue;
    const member =
      Object.getOwnPropertyDescriptor(owner, key) ?? Object.getOwnPropertyDescriptor(inherited ?? {}, key) ?? {};
    if (area === "" && key === "Bun") continue;
    if (hasArea(path)) {
      if (isObject(member.value)) walkArea(member.value, path);
    } else if (!allowed.has("*") && !allowed.has(key) && !Object.hasOwn(LEFT, path)) {
      if (member.value !== owner) expectRefused(member, path, area.includes(":"));
    }
  }
}

function expectRefused(member: PropertyDescriptor, path: string, mayBeValue: boolean): void {
  names++;
  const { get, value } = member as { readonly get?: () => unknown; readonly value?: unknown };
  if (get) {
    // `Bun`'s getters give guards, all others are guards
    // what an instance shows of itself, where the runtime makes that final, is told in `guards.ts`
    if (member.configurable === false && path.includes(".prototype.")) return;
    const isSafe = isGuarded(get) || (path.startsWith("Bun.") && isSafeValue(get()));
    if (!isSafe) open.push(path);
  } else if (typeof value === "function") {
    if (!isGuarded(value)) open.push(path);
    if (looked.has(value)) return;
    looked.add(value);
    expectMembersRefused(value, path);
    const { prototype } = value as { readonly prototype?: unknown };
    if (isObject(prototype) && (!path.includes(":") || INSTANCES[path] === "*"))
      expectMembersRefused(prototype, `${path}.prototype`);
  } else if (isObject(value)) {
    if (looked.has(value)) return;
    looked.add(value);
    expectMembersRefused(value, path);
  } else if (!mayBeValue && value !== undefined) open.push(path);
}

function expectMembersRefused(owner: object, path: string): void {
  if (owner === process.env || Array.isArray(owner)) return;
  const members = membersOf(owner);
  // a guard inherits the statics of what it stands in front of, and some of those are final
  const original: unknown = typeof owner === "function" && isGuarded(owner) ? Object.getPrototypeOf(owner) : undefined;
  for (const [key, member] of Object.entries(isObject(original) ? membersOf(original) : {}))
    if (member.configurable === false && member.writable === false) members[key] ??= member;
  for (const [key, member] of Object.entries(members))
    if (!isHead(owner, key)) expectRefused(member, join(path, key), true);
}

function membersOf(owner: object): Record<string, PropertyDescriptor> {
  return Object.getOwnPropertyDescriptors(owner) as Record<string, PropertyDescriptor>;
}

function isSafeValue(value: unknown): boolean {
  return !isObject(value) || isGuarded(value) || Array.isArray(value);
}

function hasArea(path: string): boolean {
  return Object.hasOwn(PURE, path) || Object.keys(PURE).some((area) => area.startsWith(`${path}.`));
}

function isHead(owner: object, key: string): boolean {
  if (key === "constructor" || key === "prototype") return true;
  return typeof owner === "function" && ["name", "length", "arguments", "caller"].includes(key);
}

function join(area: string, key: string): string {
  return area === "" ? key : `${area}.${key}`;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
