// docs/sdk.md, docs/testing.md and docs/schedules.md have every export of the SDK, every option and every field, and nothing that there is not.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { codeOf, readText, tableOf } from "./documents.ts";
import { ROOT } from "./imports.ts";

const page = await readText("docs/sdk.md");
const testing = await readText("docs/testing.md");
const schedules = await readText("docs/schedules.md");
const sdk = await readText("src/sdk/taskonaut.ts");
const files = await Array.fromAsync(new Bun.Glob("src/{core,testing}/**/*.ts").scan(ROOT));
const sources = (
  await Promise.all(files.filter((path) => !path.endsWith(".test.ts")).map((path) => Bun.file(join(ROOT, path)).text()))
).join("\n");

test("every function and class has a heading of its own, with an example", () => {
  const parts = page.split(/^(?=###? )/m).filter((part) => part.startsWith("### "));
  const told = parts.flatMap((part) => (/^### (.*)$/m.exec(part)?.[1] ?? "").split(", "));
  expect(told.toSorted()).toEqual(exported("export {").toSorted());
  expect(parts.filter((part) => !/^```ts$/m.test(part)).map((part) => part.split("\n")[0])).toEqual([]);
});

test("every type is listed", () => {
  const told = tableOf(page, "type").flatMap(([name]) => codeOf(name).map((code) => code.replace(/<.*/, "")));
  expect(told.toSorted()).toEqual(exported("export type {").toSorted());
});

test.each([
  ["option of `defineTool`", ["ToolDefinition"]],
  ["option of `retry`", ["RetryOptions"]],
  ["field of `ctx`", ["ToolContext"]],
  ["option of `defineFlow`", ["FlowCommon", "Bodies"]],
  ["option of `limits`", ["ToolLimitOptions", "LimitOptions"]],
  ["option of `rate`", ["RateOptions"]],
  ["option of a schedule", ["ScheduleDefinition"]],
  ["option of `call`", ["CallOptions"]],
  ["option of `map`", ["MapOptions"]],
  ["option of `waitForSignal`", ["WaitOptions"]],
  ["field of `reason`", ["StoredError"]],
  ["option of `runFlow`", ["RunOptions"]],
  ["field of a run", ["TaskRun", "FlowRun"]],
])("each %s is listed", (heading, interfaces) => {
  const told = tableOf(page + testing + schedules, heading).flatMap(([name]) => codeOf(name));
  expect(told.toSorted()).toEqual(interfaces.flatMap(membersOf).toSorted());
});

/** What the SDK exports by lines that begin so. */
function exported(begins: string): readonly string[] {
  const lines = sdk.split("\n").filter((line) => line.startsWith(begins));
  return lines.flatMap((line) => (/\{(.*)\}/.exec(line)?.[1] ?? "").split(",").map((name) => name.trim()));
}

function membersOf(name: string): readonly string[] {
  const body = new RegExp(String.raw`^(?:export )?interface ${name}\b.*?\{\n(.*?)^\}`, "ms").exec(sources)?.[1];
  if (body === undefined) throw new Error(`There is no interface ${name} in src/core or src/testing.`);
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = ""]) => member);
}
