import { expect, test } from "bun:test";
import { circlesOf, importsOf, means, readImports, roomOf } from "./imports.ts";
import { ROOMS } from "./rooms.ts";

const names = Object.keys(ROOMS);
const imports = await readImports();
const crossing = imports.filter(({ room, to }) => room !== to);

test("every import goes to a room or a package that its own room may know", () => {
  const forbidden = crossing.filter(({ room, what, to }) => {
    const { imports: rooms, packages = [] } = ROOMS[room]!;
    return to === undefined ? !packages.includes(what) : !rooms.some((name) => means(name, to));
  });
  expect(forbidden.map(({ file, room, what }) => `${file} (${room}) imports ${what}`)).toEqual([]);
});

test("a room names only what stands below it", () => {
  const upwards = names.flatMap((room, place) =>
    ROOMS[room]!.imports.filter((name) => {
      const meant = names.filter((other) => means(name, other));
      return meant.length === 0 || meant.some((other) => names.indexOf(other) <= place);
    }).map((name) => `${room} names ${name}`),
  );
  expect(upwards).toEqual([]);
});

test("a room names nothing that it does not import", () => {
  const idle = names.flatMap((name) => {
    const own = crossing.filter(({ room }) => room === name);
    const { imports: rooms, packages = [] } = ROOMS[name]!;
    return [
      ...rooms.filter((each) => !own.some(({ to }) => to !== undefined && means(each, to))),
      ...packages.filter((each) => !own.some(({ what }) => what === each)),
    ].map((each) => `${name} names ${each}`);
  });
  expect(idle).toEqual([]);
});

test("no files import each other in a circle, types included", () => {
  // a flow yields operations, and one kind of operation runs a flow
  const inherent = ["core/flow/flow-types.ts", "core/flow/flow.ts", "core/flow/operation.ts"];
  expect(circlesOf(imports)).toEqual([inherent]);
});

test("every room has files", () => {
  const taken = new Set(imports.flatMap(({ room, to }) => [room, to]));
  expect(names.filter((name) => !taken.has(name))).toEqual([]);
});

test("a circle is found with the files that are in it", () => {
  const edges = (...pairs: readonly string[]): Parameters<typeof circlesOf>[0] =>
    pairs.map((pair) => ({ file: pair[0]!, what: pair[1]!, room: "", to: "" }));
  expect(circlesOf(edges("ab", "bc", "ca", "cd", "de", "ed", "ef"))).toEqual([
    ["a", "b", "c"],
    ["d", "e"],
  ]);
  expect(circlesOf(edges("ab", "ac", "bc"))).toEqual([]);
});

test("an import is read in whatever way it is written", () => {
  const text = `
import type { A } from "./type.ts";
import { type B, c } from "./inline.ts";
import d, { e } from "./default.ts";
import * as f from "./star.ts";
import {
  g,
} from "./lines.ts";
export type { H } from "./exported.ts";
export * from "./all.ts";
import "./effect.ts";
const i = await import("./late.ts");
type J = typeof import("./typeof.ts");`;
  expect([...importsOf(text)].toSorted()).toEqual([
    "./all.ts",
    "./default.ts",
    "./effect.ts",
    "./exported.ts",
    "./inline.ts",
    "./late.ts",
    "./lines.ts",
    "./star.ts",
    "./type.ts",
    "./typeof.ts",
  ]);
});

test("a file belongs to the narrowest room", () => {
  expect(["core/errors.ts", "core/flow/tool.ts", "store/store.ts", "store/sqlite/x.ts"].map(roomOf)).toEqual([
    "core/*",
    "core/flow",
    "store/*store.ts",
    "store/sqlite",
  ]);
  expect(() => roomOf("engine/new.ts")).toThrow("engine/new.ts stands in no room");
});
