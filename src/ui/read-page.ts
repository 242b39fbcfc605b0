// Pages of tasks, as the views show them.

import type { ListedSummary } from "../core/api/task.ts";
import { type Answer, get } from "./api.ts";

export type Page = Answer<readonly ListedSummary[]>;

/** Pages may be short, where tasks are large and where few match: so many are put together before they are shown. */
const REQUESTS_MAX = 4;

/** `limit` tasks or more where there are as many; fewer with a next page where they are hard to find. Throws ApiError. */
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
