import { expect, test } from "bun:test";

import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../../test/support/fake-taskonaut.ts";
import { OPENAI } from "../../../test/support/fake-limits.ts";
import { whoAmI } from "../reason.ts";

const readable = ["--format", "table"];

test("limits are listed with their use", async () => {
  const { stdout, code } = await cli(["limits", ...readable]);
  expect(code).toBe(0);
  expect(stdout).toContain("LIMIT");
  expect(stdout).toMatch(/openai +tool +3 +100 in 1m, 12 left +2,311/);
});

test("a limit that was set says by whom, when and why", async () => {
  const taskonaut = new FakeTaskonaut();
  const set = {
    running: "none",
    running_per_key: null,
    rate: null,
    reason: "incident",
    by: "ada",
    at: "2020-01-02T00:00:00.000Z",
  } as const;
  taskonaut.limits.all = [{ ...OPENAI, set, rate_left: 0, rate_next_at: "2100-01-01T00:00:00.000Z" }];
  const { stdout } = await cli(["limits", ...readable], { taskonaut });
  expect(stdout).toContain("by ada, 2020-01-02, incident");
  expect(stdout).toContain("100 in 1m, more in");
});

test("for programs they are JSON, and none is told in words", async () => {
  expect(JSON.parse((await cli(["limits", "--json"])).stdout)).toEqual([OPENAI]);
  const taskonaut = new FakeTaskonaut();
  taskonaut.limits.all = [];
  expect((await cli(["limits", ...readable], { taskonaut })).stderr).toContain("No limits.");
});

test("what is set is passed on, with who sets it", async () => {
  const env = { USER: "ada" };
  const typed = ["--running", "5", "--per-key", "none", "--rate", "20/30s", "--reason", "why", "--kind", "tool"];
  const { taskonaut, stdout } = await cli(["limits", "set", "openai", ...typed], { env });
  expect(taskonaut.limits.asked).toEqual([
    [
      "set",
      "openai",
      {
        kind: "tool",
        running: 5,
        running_per_key: "none",
        rate: { count: 20, per_ms: 30_000 },
        reason: "why",
        by: whoAmI(),
      },
    ],
  ]);
  expect(JSON.parse(stdout)).toEqual(OPENAI);
});

test("code stands for what the code says, and reset for all of it", async () => {
  const { taskonaut } = await cli(["limits", "set", "openai", "--rate", "code", "--running", "none"], { env: {} });
  await cli(["limits", "reset", "openai"], { taskonaut });
  expect(taskonaut.limits.asked).toEqual([
    ["set", "openai", { running: "none", rate: null, by: whoAmI() }],
    ["reset", "openai", undefined],
  ]);
});

test.each([
  [["sett", "openai"], "did you mean set?"],
  [["set"], "needs the name of a limit"],
  [["set", "openai"], "needs --running, --per-key or --rate"],
  [["set", "openai", "--running", "0"], "--running: expected a number, none or code"],
  [["set", "openai", "--rate", "100"], "--rate: expected a rate such as 100/1m, none or code"],
  [["set", "openai", "--rate", "1/0s"], "--rate: expected a rate such as 100/1m"],
  [["set", "openai", "--running", "1", "--kind", "step"], "--kind: expected flow, tool"],
  [["reset", "openai", "--running", "1"], "means nothing to limits reset"],
  [["--running", "1"], "is for limits set"],
])("limits %p is refused", async (argv, message) => {
  const { code, stderr } = await cli(["limits", ...argv]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test("a limit that there is not is not found", async () => {
  const { code } = await cli(["limits", "reset", "nope"]);
  expect(code).toBe(3);
});
