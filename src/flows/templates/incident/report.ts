// The report, for people and for programs.

import * as v from "valibot";
import { Finding } from "./rules.ts";
import { Summary } from "./summary.ts";

export const Report = v.object({ log: v.string(), summary: Summary, findings: v.array(Finding), decision: v.string() });
export type Report = v.InferOutput<typeof Report>;

export function renderMarkdown({ log, summary, findings, decision }: Report): string {
  const lines = [
    `# ${cell(log)}`,
    "",
    `${summary.requests} requests of ${summary.clients} clients, ${summary.from ?? "never"} to ${summary.to ?? "never"}; ${summary.unreadable} lines could not be read.`,
    "",
    ...table(["Status", "Requests"], Object.entries(summary.statuses)),
    ...section(
      "Top clients",
      table(
        ["Client", "Requests", "Errors"],
        summary.topClients.map(({ ip, requests, errors }) => [ip, requests, errors]),
      ),
    ),
    ...section(
      "Bursts",
      table(
        ["Minute", "Requests", "Usual"],
        summary.bursts.map(({ minute, requests, usual }) => [minute, requests, usual]),
      ),
    ),
    ...section(
      "Findings",
      table(
        ["Severity", "Rule", "Client", "Requests", "First", "Last", "Sample"],
        findings.map(({ severity, rule, ip, requests, first, last, samples }) => [
          severity,
          rule,
          ip,
          requests,
          first,
          last,
          samples[0] ?? "",
        ]),
      ),
    ),
    "",
    `Decision: ${decision}`,
  ];
  return `${lines.join("\n")}\n`;
}

export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function section(title: string, body: readonly string[]): string[] {
  return ["", `## ${title}`, "", ...body];
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  if (rows.length === 0) return ["None."];
  return [head, head.map(() => "---"), ...rows].map(
    (row) => `| ${row.map((value) => cell(String(value))).join(" | ")} |`,
  );
}

/** A log contains texts from attackers. They must not become markup. */
function cell(text: string): string {
  return text.replace(/[\\`*_[\]<>|&]/g, (character) => `&#${character.charCodeAt(0)};`);
}
