// Which clients are suspicious, and why. Add rules of your own at the end of RULES.

import * as v from "valibot";
import type { Request } from "./access-log.ts";

export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const Finding = v.object({
  ip: v.string(),
  rule: v.string(),
  severity: v.picklist(SEVERITIES),
  requests: v.number(),
  first: v.string(),
  last: v.string(),
  /** A few of the requests, as they were sent. */
  samples: v.array(v.string()),
});
export type Finding = v.InferOutput<typeof Finding>;

interface Rule {
  readonly name: string;
  readonly severity: Severity;
  /** The number of matching requests by one client that makes a finding. */
  readonly least: number;
  /** The requests must be within this many milliseconds. Unset: anywhere in the log. */
  readonly withinMs?: number;
  /** `target` is decoded. */
  matches(request: Request, target: string): boolean;
}

const RULES: readonly Rule[] = [
  {
    name: "scanner",
    severity: "medium",
    least: 5,
    matches: ({ status }, target) =>
      status >= 400 &&
      /^\/(?:\.env|\.git\/|\.aws\/|wp-(?:admin|login|content)|phpmyadmin|cgi-bin\/|actuator\/|server-status|vendor\/phpunit)/i.test(
        target,
      ),
  },
  {
    name: "brute force",
    severity: "high",
    least: 20,
    withinMs: 5 * 60_000,
    matches: ({ method, status }, target) =>
      method === "POST" && (status === 401 || status === 403) && /\/(?:log-?in|sign-?in|session)/i.test(target),
  },
  {
    name: "traversal",
    severity: "high",
    least: 1,
    matches: (_request, target) => /(?:^|[\\/])\.\.(?:[\\/]|$)|\/etc\/passwd\b/i.test(target),
  },
  {
    name: "injection",
    severity: "critical",
    least: 1,
    matches: (_request, target) => {
      const query = target.slice(target.indexOf("?") + 1);
      return (
        target.includes("?") &&
        /\bunion\b[\s+/*]+(?:all[\s+]+)?select\b|'\s*(?:or|and)\s+['\d]|;\s*drop\s+table\b|\bsleep\s*\(|<script\b|\$\{jndi:/i.test(
          query,
        )
      );
    },
  },
];

const SAMPLES = 3;
const SAMPLE_LENGTH = 200;
/** The worst are kept: a result has its limits. */
const FINDINGS_MAX = 500;

export async function classify(requests: AsyncIterable<Request | undefined>): Promise<Finding[]> {
  const hits = new Map<string, { ip: string; rule: Rule; times: number[]; samples: string[] }>();
  for await (const request of requests) {
    if (!request) continue;
    const target = decode(request.target);
    for (const rule of RULES) {
      if (!rule.matches(request, target)) continue;
      const key = `${request.ip} ${rule.name}`;
      const hit = hits.get(key) ?? { ip: request.ip, rule, times: [], samples: [] };
      hit.times.push(request.time);
      if (hit.samples.length < SAMPLES) hit.samples.push(`${request.method} ${request.target}`.slice(0, SAMPLE_LENGTH));
      hits.set(key, hit);
    }
  }
  return [...hits.values()]
    .filter(({ rule, times }) => isEnough(rule, times))
    .map(({ ip, rule, times, samples }) => ({
      ip,
      rule: rule.name,
      severity: rule.severity,
      requests: times.length,
      first: new Date(times.reduce((a, b) => Math.min(a, b))).toISOString(),
      last: new Date(times.reduce((a, b) => Math.max(a, b))).toISOString(),
      samples,
    }))
    .toSorted((a, b) => rank(b.severity) - rank(a.severity) || b.requests - a.requests || (a.ip < b.ip ? -1 : 1))
    .slice(0, FINDINGS_MAX);
}

export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

function isEnough({ least, withinMs }: Rule, times: readonly number[]): boolean {
  if (withinMs === undefined) return times.length >= least;
  const inOrder = times.toSorted((a, b) => a - b);
  return inOrder.some((time, index) => (inOrder[index + least - 1] ?? Infinity) - time <= withinMs);
}

/** Decodes twice, because double encoding deceives filters. A text that cannot be decoded stays as it is. */
function decode(target: string): string {
  let text = target.replaceAll("+", " ");
  for (let round = 0; round < 2; round++) {
    try {
      text = decodeURIComponent(text);
    } catch {
      return text;
    }
  }
  return text;
}
