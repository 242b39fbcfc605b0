import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cannotWrite, initFolder } from "./init-folder.ts";
import { adviseOnSettings } from "./settings-advice.ts";
import type { Template } from "./wiring.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
});
afterEach(() => rm(folder, { recursive: true }));

const TEMPLATE: Template = {
  flow: "order",
  example: [],
  files: new Map([
    ["order.ts", "flow"],
    ["lib.ts", "lib"],
    ["tsconfig.json", "{}"],
  ]),
  generated: new Map([["types/a/index.d.ts", "types"]]),
};

const textOf = (path: string): Promise<string> => Bun.file(join(folder, path)).text();

describe("the files of a template", () => {
  test("are not written by half: beside one that is there only the settings are", async () => {
    await Bun.write(join(folder, "lib.ts"), "mine");
    const { written, kept, hasFlow } = await initFolder(folder, TEMPLATE, { isAskedFor: false });
    expect({ written, kept, hasFlow }).toEqual({
      written: [join(folder, "tsconfig.json")],
      kept: [join(folder, "lib.ts")],
      hasFlow: false,
    });
    expect(await textOf("lib.ts")).toBe("mine");
  });

  test("are written into a folder that has been initialized only where they are asked for", async () => {
    await Bun.write(join(folder, ".taskonaut/types/a/index.d.ts"), "types");
    const first = await initFolder(folder, TEMPLATE, { isAskedFor: false });
    expect(first).toEqual({ written: [], kept: [], generated: "up to date", hasFlow: false });
    const second = await initFolder(folder, TEMPLATE, { isAskedFor: true });
    expect(second).toMatchObject({ kept: [], generated: "up to date", hasFlow: true });
    expect(second.written).toHaveLength(3);
  });

  test.each([
    ["EACCES", "you may not write there. Take a folder that is yours."],
    ["EROFS", "the file system is read-only. Take a folder elsewhere."],
    ["EOTHER", "odd"],
  ])("that cannot be written say why: %s", (code, message) => {
    expect(cannotWrite("a/b.ts", Object.assign(new Error("odd"), { code })).message).toBe(
      `Cannot write a/b.ts: ${message}`,
    );
  });
});

describe("a tsconfig.json of the user's own", () => {
  const OURS = "./.taskonaut/tsconfig.json";
  const advice = async (text: string): Promise<string> => {
    await Bun.write(join(folder, "tsconfig.json"), text);
    return (await adviseOnSettings(folder)).join("\n").replaceAll(`${folder}/`, "");
  };

  test.each([
    ["that extends ours needs nothing", `{ "extends": "${OURS}", /* mine */ }`],
    ["that extends ours without its ending needs nothing", '{ "extends": ["./.taskonaut/tsconfig"] }'],
  ])("%s", async (_what, text) => {
    expect(await advice(text)).toBe("");
  });

  test.each([
    ["{}", `tsconfig.json is yours. For the types in your editor add "extends": "${OURS}".`],
    [
      '{ "extends": "@tsconfig/bun" }',
      `tsconfig.json is yours. For the types in your editor add "extends": ["@tsconfig/bun", "${OURS}"].`,
    ],
    [
      '{ "extends": ".taskonaut/tsconfig.json" }',
      `tsconfig.json is yours. For the types in your editor add "extends": [".taskonaut/tsconfig.json", "${OURS}"].`,
    ],
    ["mine", `tsconfig.json cannot be read as JSON: correct it, and add "extends": "${OURS}".`],
    [
      `{ "extends": "${OURS}", "compilerOptions": { "paths": { "taskonaut": ["./x"], "valibot": ["./y"] } } }`,
      `tsconfig.json has paths of its own, which replace those of ${OURS}. Add to them "taskonaut/testing": ["./.taskonaut/types/taskonaut/testing.d.ts"].`,
    ],
  ])("%s is told what to add", async (text, said) => {
    expect(await advice(text)).toBe(said);
  });
});
