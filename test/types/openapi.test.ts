// The OpenAPI document as others read it: openapi-typescript makes types of it, and they compile.

import { expect, mock, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readApiDocument } from "../../src/server/api-document.ts";
import { FakeTaskonaut } from "../support/fake-taskonaut.ts";

const ROOT = join(import.meta.dir, "../..");

const USE = `
import type { components, paths } from "./api.d.ts";
type Post<Path extends keyof paths> = NonNullable<paths[Path]["post"]>;
type BodyOf<Operation> = Operation extends { requestBody: { content: { "application/json": infer Body } } } ? Body : never;
export const input: BodyOf<Post<"/flows/echo_add/tasks">> = { text: "x", a: 1 };
// @ts-expect-error -- a is a number
export const wrong: BodyOf<Post<"/flows/echo_add/tasks">> = { a: "1" };
export const nameOf = (task: components["schemas"]["task.echo_add"]): "echo_add" => task.flow_name;
export const causeOf = ({ error }: components["schemas"]["Task"]): string | undefined => error?.cause?.message;
export const of = (step: components["schemas"]["Step"]): "RUNNING" | "COMPLETED" | "FAILED" | undefined => step.tool_calls[0]?.status;
`;

test("openapi-typescript makes types of it that compile, and that say what flows take", async () => {
  // it works with the compiler's old interface, which the compiler of this repository no longer has
  const typescript5 = await import("typescript5");
  await mock.module("typescript", () => ({ ...typescript5, default: typescript5.default ?? typescript5 }));
  const { astToString, default: generate } = await import("openapi-typescript");
  const document = await readApiDocument(new FakeTaskonaut(), "1.2.3");
  const given = JSON.parse(JSON.stringify(document)) as Parameters<typeof generate>[0];
  // else a field that has a default would have to be sent
  const text = astToString(await generate(given, { defaultNonNullable: false }));
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-types-"));
  try {
    await Bun.write(join(folder, "api.d.ts"), text);
    await Bun.write(join(folder, "use.ts"), USE);
    const tsc = join(ROOT, "node_modules/typescript/lib/tsc.js");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "esnext", "--module", "preserve"];
    const child = Bun.spawn(
      [process.execPath, tsc, "--ignoreConfig", ...options, "--allowImportingTsExtensions", "--types", "", "use.ts"],
      { cwd: folder, stdout: "pipe", stderr: "pipe" },
    );
    expect(await child.stdout.text()).toBe("");
  } finally {
    await rm(folder, { recursive: true });
  }
});
