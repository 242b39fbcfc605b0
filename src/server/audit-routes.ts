// The audit log over HTTP, for admins.

import { AUDIT_PAGE_MAX, type ListAudit } from "../core/api/audit.ts";
import { AuditPageAnswer, AuditVerdictAnswer } from "../core/api/audit-answers.ts";
import { AUDIT_FILTERS, readAuditFilter } from "../core/api/audit-text.ts";
import { inputInvalid } from "./check.ts";
import { type Query, queryOf, violationsOf } from "./query.ts";
import type { Route, RouteOptions } from "./route.ts";

const PARAMETERS: readonly string[] = [...AUDIT_FILTERS.map(({ name }) => name), "limit", "before"];

const DEFAULT_LIMIT = 100;

export function auditRoutes({ taskonaut: { audit }, onLongWait }: RouteOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/audit-log",
      needs: "administer",
      query: PARAMETERS,
      about: {
        summary: "Tells who has changed what, when and why",
        more: "Newest first. `next` is the `before` of the next page.",
        answers: { 200: AuditPageAnswer },
      },
      handle: async (c) => c.json(await audit.list(readRequest(queryOf(c)))),
    },
    {
      method: "GET",
      path: "/audit-log/verify",
      needs: "administer",
      about: {
        summary: "Tells whether the audit log is as it was written",
        more: "It walks through all entries.",
        answers: { 200: AuditVerdictAnswer },
      },
      handle: async (c) => {
        onLongWait(c.req.raw);
        return c.json(await audit.verify());
      },
    },
  ];
}

/** Throws input_invalid with every violation. */
function readRequest(query: Query): ListAudit {
  const text = (name: string): string | undefined => query.get(name)?.[0];
  const unknown = violationsOf(query, PARAMETERS);
  const { filter, errors } = readAuditFilter(text, Date.now());
  const number = (name: string, max: number): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    const value = /^\d{1,15}$/.test(given) ? Number(given) : 0;
    if (value >= 1 && value <= max) return value;
    const message = `expected a whole number from 1 to ${max}, received ${JSON.stringify(given)}`;
    errors.push({ path: name, message });
    return undefined;
  };
  const limit = number("limit", AUDIT_PAGE_MAX) ?? DEFAULT_LIMIT;
  const before = number("before", Number.MAX_SAFE_INTEGER);
  const all = [...unknown, ...errors];
  if (all.length > 0) throw inputInvalid(all);
  return { filter, limit, ...(before !== undefined && { before }) };
}
