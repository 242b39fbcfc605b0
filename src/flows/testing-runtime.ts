// The file that prepares a Bun process for flow tests (`src/testing/runtime.ts`). It is embedded in the program; a
// program that runs from its sources makes it on demand.

import { join } from "node:path";
import { findEmbedded } from "./embedded.ts";

export async function readTestingRuntime(): Promise<string> {
  const embedded = findEmbedded("testing");
  if (embedded) return embedded.text();
  // the bundler ignores a computed path
  const script = join(import.meta.dir, "../../.scripts/testing-runtime.ts");
  const { testingRuntime } = (await import(script)) as { readonly testingRuntime: () => Promise<string> };
  return testingRuntime();
}
