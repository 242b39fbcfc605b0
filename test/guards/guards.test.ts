// In processes of their own: they put guards on all there is.

import { expect, test } from "bun:test";
import { join } from "node:path";

async function resultOf(child: string): Promise<unknown> {
  const { stdout } = Bun.spawn([process.execPath, join(import.meta.dir, child)], { stdout: "pipe", stderr: "ignore" });
  return JSON.parse(await stdout.text()) as unknown;
}

test("every name of the runtime in use is either allowed by the list or refused, and the list names nothing else", async () => {
  const { names, ...rest } = (await resultOf("inventory-child.ts")) as { names: number };
  expect(rest).toEqual({ open: [], missing: [] });
  expect(names).toBeGreaterThan(600);
});

test("whatever a tool does with the runtime works as ever while all guards are in place", async () => {
  expect(await resultOf("tools-child.ts")).toEqual([]);
});
