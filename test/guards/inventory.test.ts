import { expect, test } from "bun:test";
import { join } from "node:path";

test("every name of the runtime in use is either allowed by the list or refused, and the list names nothing else", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "inventory-child.ts")], {
    stdout: "pipe",
    stderr: "ignore",
  });
  const { open, missing, names } = JSON.parse(await child.stdout.text()) as {
    open: string[];
    missing: string[];
    names: number;
  };
  expect({ open, missing }).toEqual({ open: [], missing: [] });
  expect(names).toBeGreaterThan(1_000);
});
