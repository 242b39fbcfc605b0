// The file that a process for flow tests loads first (`src/testing/runtime.ts`). The build embeds it. A program that
// runs from its sources calls this file.

import { join } from "node:path";

const ENTRY = join(import.meta.dir, "../src/testing/runtime.ts");

export async function testingRuntime(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [ENTRY],
    target: "bun",
    minify: { whitespace: true, syntax: true, identifiers: false },
  });
  const [output] = built.outputs;
  if (!output) throw new Error(`${ENTRY} gave no output.`);
  return output.text();
}
