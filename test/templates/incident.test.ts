import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ATTACKERS, BURST_MINUTE, makeAccessLog, UNREADABLE } from "../support/access-log.ts";
import { parseLine, readRequests, type Request } from "../../src/flows/templates/incident/access-log.ts";
import { renderJson, renderMarkdown } from "../../src/flows/templates/incident/report.ts";
import { classify } from "../../src/flows/templates/incident/rules.ts";
import { summarise } from "../../src/flows/templates/incident/summary.ts";

async function* read(log: string): AsyncGenerator<Request | undefined> {
  for (const line of log.trimEnd().split("\n")) yield parseLine(line);
}

test("a line of the combined format is read, with its zone and escaped quotes", () => {
  const line = String.raw`203.0.113.7 - bob [23/Nov/2026:05:57:27 +0130] "GET /a?b=c HTTP/1.1" 304 - "-" "say \"hi\""`;
  expect(parseLine(line)).toEqual({
    ip: "203.0.113.7",
    time: Date.parse("2026-11-23T04:27:27Z"),
    method: "GET",
    target: "/a?b=c",
    status: 304,
    bytes: 0,
    agent: String.raw`say \"hi\"`,
  });
});

test.each(["", "nonsense", '1.2.3.4 - - [99/Foo/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"'])(
  "%p is no line of it",
  (line) => {
    expect(parseLine(line)).toBeUndefined();
  },
);

test("the summary counts what the log has", async () => {
  const log = makeAccessLog({ seed: 1 });
  const summary = await summarise(read(log));
  expect(summary.requests + summary.unreadable).toBe(log.split("\n").length - 1);
  expect(summary.unreadable).toBe(UNREADABLE);
  expect(Object.values(summary.statuses).reduce((a, b) => a + b)).toBe(summary.requests);
  expect(summary.topClients[0]?.ip).toBe("66.249.66.1");
  expect(summary.bursts.map(({ minute }) => minute)).toEqual([BURST_MINUTE]);
});

test("an empty log has an empty summary", async () => {
  const summary = await summarise(read(""));
  expect(summary).toMatchObject({ requests: 0, from: null, to: null, topClients: [], bursts: [] });
});

test.each([1, 2, 3])(
  "each attacker is found by the rule for it and nobody else is suspected (seed %d)",
  async (seed) => {
    const findings = await classify(read(makeAccessLog({ seed })));
    expect(Object.fromEntries(findings.map(({ rule, ip }) => [rule, ip]))).toEqual({ ...ATTACKERS });
    expect(findings).toHaveLength(4);
    expect(findings[0]).toMatchObject({ severity: "critical", requests: 3 });
  },
);

test("guesses of a password count only within five minutes", async () => {
  const guesses = (everyMs: number): string =>
    Array.from({ length: 30 }, (_, index) => {
      const clock = new Date(index * everyMs).toISOString().slice(11, 19);
      return `1.2.3.4 - - [01/Jan/2026:${clock} +0000] "POST /login HTTP/1.1" 401 1 "-" "-"\n`;
    }).join("");
  expect(await classify(read(guesses(10_000)))).toHaveLength(1);
  expect(await classify(read(guesses(60_000)))).toEqual([]);
});

test("text from the log does not become markup in the report", async () => {
  const log = makeAccessLog({ seed: 1, lines: 100 });
  const [summary, findings] = [await summarise(read(log)), await classify(read(log))];
  const evil = findings.map((finding) => ({ ...finding, samples: ["GET /<script>|`x`"] }));
  const report = { log: "a.log", summary, findings: evil, decision: "none" };
  expect(renderMarkdown(report)).toContain("GET /&#60;script&#62;&#124;&#96;x&#96;");
  expect(renderMarkdown(report)).not.toContain("<script>");
  expect(JSON.parse(renderJson(report))).toEqual(report);
});

test("a file is read line by line, the last one without a line break too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
  try {
    const path = join(folder, "access.log");
    await Bun.write(path, makeAccessLog({ seed: 1, lines: 50 }).trimEnd());
    const lines = await Array.fromAsync(readRequests(path));
    expect(lines.length).toBe((await Bun.file(path).text()).split("\n").length);
  } finally {
    await rm(folder, { recursive: true });
  }
});
