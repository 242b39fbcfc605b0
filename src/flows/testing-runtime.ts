// The one file that makes a Bun one that can test flows (`src/testing/runtime.ts`): embedded in the program, or made now
// where that runs from its sources.

import { join } from "node:path";
import { findEmbedded } from "./embedded.ts";

export async function readTestingRuntime(): Promise<string> {
  const embedded = findEmbedded("testing");
  if (embedded) return embedded.text();
  // a path that is put together is not bundled
  const script = join(import.meta.dir, "../../.scripts/testing-runtime.ts");
  const { testingRuntime } = (await import(script)) as { readonly testingRuntime: () => Promise<string> };
  return testingRuntime();
}
