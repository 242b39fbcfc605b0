// Reads a web server's access log, looks for attacks, and writes a report, as Markdown and as JSON.
// `taskonaut run-flow incident` reads the log of a made-up shop next to this file.

import { all, call, defineFlow, defineSignal, defineTool, StepError, waitForSignal, type Operation } from "taskonaut";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { readRequests } from "./access-log.ts";
import { renderJson, renderMarkdown, Report } from "./report.ts";
import { classify, Finding, rank, SEVERITIES } from "./rules.ts";
import { summarise, Summary } from "./summary.ts";

// Any process may run a tool, from any folder, so relative paths start at this file.
const beside = (path: string): string => resolve(import.meta.dir, path);

const Log = v.object({ path: v.string() });

const summariseLog = defineTool({
  name: "summarise_log",
  description: "Counts requests, status classes, top clients and bursts.",
  input: Log,
  output: Summary,
  timeout: "2m",
  run: ({ path }) => summarise(readRequests(beside(path))),
});

const classifyClients = defineTool({
  name: "classify_clients",
  description: "Finds clients that scan, guess passwords, leave the root or inject.",
  input: Log,
  output: v.object({ findings: v.array(Finding) }),
  timeout: "2m",
  run: async ({ path }) => ({ findings: await classify(readRequests(beside(path))) }),
});

const approved = defineSignal(
  "approved",
  v.object({ by: v.pipe(v.string(), v.minLength(1), v.description("who approves the report")) }),
);

const Text = v.object({ text: v.string() });

const markdown = defineTool({
  name: "render_markdown",
  input: Report,
  output: Text,
  execution: "pure",
  run: (report) => ({ text: renderMarkdown(report) }),
});

const json = defineTool({
  name: "render_json",
  input: Report,
  output: Text,
  execution: "pure",
  run: (report) => ({ text: renderJson(report) }),
});

const writeReport = defineTool({
  name: "write_report",
  description: "Writes a file whole, or not at all; twice is as good as once.",
  input: v.object({ path: v.string(), text: v.string() }),
  output: v.object({ path: v.string() }),
  run: async ({ path, text }, { stepId }) => {
    const place = beside(path);
    const unfinished = `${place}.${stepId}`;
    await mkdir(dirname(place), { recursive: true });
    await writeFile(unfinished, text);
    await rename(unfinished, place);
    return { path: place };
  },
});

export default defineFlow({
  name: "incident",
  description: "Reports on attacks in a web server's access log.",
  input: v.object({
    log: v.optional(
      v.pipe(
        v.string(),
        v.minLength(1),
        v.description("the access log, in the combined format: a path from this file"),
      ),
      "access.log",
    ),
    report: v.optional(
      v.pipe(v.string(), v.minLength(1), v.description("the report, without its ending: a path from this file")),
      "incident-report",
    ),
    severity: v.optional(
      v.pipe(v.picklist(SEVERITIES), v.description("findings from here on want an approval")),
      "high",
    ),
  }),
  signals: [approved],
  *run({ log, report, severity }) {
    const { summary, found } = yield* all({
      summary: call(summariseLog, { path: log }),
      found: call(classifyClients, { path: log }),
    });
    const serious = found.findings.filter((finding) => rank(finding.severity) >= rank(severity));
    const decision = serious.length > 0 ? yield* waitForApproval(serious.length) : "nothing to approve";
    const content = { log, summary, findings: found.findings, decision };
    const rendered = yield* all({ markdown: call(markdown, content), json: call(json, content) });
    const written = yield* all({
      markdown: call(writeReport, { path: `${report}.md`, text: rendered.markdown.text }, { as: "write_markdown" }),
      json: call(writeReport, { path: `${report}.json`, text: rendered.json.text }, { as: "write_json" }),
    });
    return {
      requests: summary.requests,
      findings: found.findings.length,
      serious: serious.length,
      decision,
      reports: [written.markdown.path, written.json.path],
    };
  },
});

/** A person has a day to look at the findings; without an answer the report says so. */
function* waitForApproval(findings: number): Generator<Operation<unknown>, string> {
  try {
    const { by } = yield* waitForSignal(approved, { timeout: "1d" });
    return `${findings} findings, approved by ${by}`;
  } catch (error) {
    if (error instanceof StepError && error.reason.name === "TimeoutError")
      return `${findings} findings, not approved in time`;
    throw error;
  }
}
