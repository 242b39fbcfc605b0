// In processes of their own: they put guards on all there is.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { META_MEMBERS } from "../../src/flows/guards/meta.ts";

async function resultOf(child: string): Promise<unknown> {
  const { stdout } = Bun.spawn([process.execPath, join(import.meta.dir, child)], { stdout: "pipe", stderr: "ignore" });
  return JSON.parse(await stdout.text()) as unknown;
}

test("every name of the runtime in use is either allowed by the list or refused, and the list names nothing else", async () => {
  const { names, ...rest } = (await resultOf("inventory-child.ts")) as { names: number };
  expect(rest).toEqual({ open: [], missing: [] });
  expect(names).toBeGreaterThan(600);
});

/** Allowed: the name of the file, whether it is the entry, the settings, which have a guard of their own, and code. */
const ALLOWED_OF_META = ["env", "file", "hot", "main", "require"];

test("every member of import.meta that the runtime's types know is either allowed or refused", async () => {
  const types = await Promise.all(
    ["globals.d.ts", "devserver.d.ts"].map((file) =>
      Bun.file(join(import.meta.dir, "../../node_modules/bun-types", file)).text(),
    ),
  );
  const members = types.flatMap((text) => {
    const body = /^interface ImportMeta \{\n([^]*?)^\}/m.exec(text)?.[1] ?? "";
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name = ""]) => name);
  });
  members.push("resolve"); // of Node's types
  expect([...new Set(members)].toSorted()).toEqual([...ALLOWED_OF_META, ...META_MEMBERS].toSorted());
});

test("whatever a tool does with the runtime works as ever while all guards are in place", async () => {
  expect(await resultOf("tools-child.ts")).toEqual([]);
});
