import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../../test/support/fake-taskonaut.ts";

test("it tells what was removed, page after page, and what was left alone", async () => {
  const taskonaut = new FakeTaskonaut();
  const cursors: (string | undefined)[] = [];
  taskonaut.bulk.purge = async ({ cursor }) => {
    cursors.push(cursor);
    const removed = [{ flow_name: "order", status: "FAILED", tasks: 600 }] as const;
    return {
      removed,
      not_loaded: cursor === undefined ? ["gone"] : [],
      next: cursor === undefined ? "order/FAILED" : null,
    };
  };
  const json = await cli(["purge"], { taskonaut });
  expect([json.code, JSON.parse(json.stdout)]).toEqual([
    0,
    { removed: [{ flow_name: "order", status: "FAILED", tasks: 1200 }], dry_run: false, not_loaded: ["gone"] },
  ]);
  expect(cursors).toEqual([undefined, "order/FAILED"]);
  const shown = await cli(["purge", "--dry-run", "--flow", "order"], {
    taskonaut,
    isTTY: true,
    env: { NO_COLOR: "1" },
  });
  expect(shown.stdout).toStartWith("1,200 tasks would be removed.\nFLOW");
  expect(shown.stderr.replaceAll("\n", " ")).toContain("left alone: gone.");
});
