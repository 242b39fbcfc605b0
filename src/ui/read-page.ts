// Pages of tasks for the views.

import type { ListedSummary } from "../core/api/task.ts";
import { type Answer, get } from "./api.ts";

export type Page = Answer<readonly ListedSummary[]>;

/** A page may be short if tasks are large or few match, so up to this many are joined before they are shown. */
const REQUESTS_MAX = 4;

/** At least `limit` tasks if there are as many. Fewer, with a next page, if they are hard to find. Throws ApiError. */
export async function readPage(path: string, limit: number, leaving?: AbortSignal): Promise<Page> {
  const body: ListedSummary[] = [];
  let next: string | undefined = path;
  for (let requests = 0; next !== undefined && requests < REQUESTS_MAX && body.length < limit; requests++) {
    const page: Page = await get<readonly ListedSummary[]>(next, leaving);
    body.push(...page.body);
    next = page.next;
  }
  return { body, next };
}
