// What a process that tests flows loads first, as one file (`src/testing/runtime.ts`). The build embeds it; when the
// program runs from its sources it asks here.

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
