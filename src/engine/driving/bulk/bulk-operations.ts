// `Bulk` over a store: shows an operation, starts it, and does its portions.

import { BULK_FLOW, type Bulk, type BulkPreview, type BulkRequest } from "../../../core/api/bulk.ts";
import type { PurgePage, PurgeRequest } from "../../../core/api/purge.ts";
import type { CreatedTask } from "../../../core/api/create-task.ts";
import { parseJson } from "../../../core/record/json.ts";
import type { RowFilter } from "../../../core/record/row-filter.ts";
import type { TaskRecord } from "../../../core/record/record.ts";
import type { BriefRow, ListKey } from "../../../store/store.ts";
import { type BulkOperation, checkToken, isMeant, matchOf, momentOf, tokenOf, toOperation } from "../../doors/bulk.ts";
import { parseFilterText } from "../../../core/api/filter-text.ts";
import { readHeld, toRowFilter } from "../../doors/row-filter.ts";
import { toBrief } from "../../task/to-task.ts";
import type { NewTasks } from "../new-tasks.ts";
import { purge } from "./purge.ts";
import { type Acting, ACTIONS, type ActionTools, cancelAllByForce } from "./actions.ts";
import type { Portion, PortionRequest } from "./bulk-flow.ts";
import { Tally } from "./tally.ts";

const SAMPLE = 5;

/** The size of one read while an operation is counted. */
const PAGE = 1000;

/** The longest wait for the count: after that, the count is a lower bound. */
const COUNT_MS = 2000;

interface BulkTools {
  readonly tools: ActionTools;
  readonly newTasks: NewTasks;
  readonly tell: (record: TaskRecord, isNew: boolean) => Promise<CreatedTask>;
}

export class BulkOperations implements Bulk {
  constructor(private readonly parts: BulkTools) {}

  async preview(request: BulkRequest): Promise<BulkPreview> {
    const { tools } = this.parts;
    const operation = toOperation(request, await tools.storeClock.read(), tools);
    await tools.names.check(request.filter);
    const { rows, tasks, more } = await this.#count(operation, await matchOfOperation(operation, tools.tasks));
    const { action, force } = operation;
    return { action, force, tasks, more, sample: rows.map(toBrief), token: tokenOf(operation) };
  }

  async start({ token, ...request }: BulkRequest & { readonly token: string }): Promise<CreatedTask> {
    const { tools, newTasks, tell } = this.parts;
    const operation = toOperation(request, momentOf(token), tools);
    checkToken(token, operation);
    const { record, isNew } = await newTasks.create(
      { flow: BULK_FLOW, input: operation, idempotencyKey: `bulk:${token}`, start: "now" },
      {
        flow: tools.flows.get(BULK_FLOW),
        audit: (target) =>
          tools.audit({
            action: `${request.action}-tasks`,
            kind: "tasks",
            target,
            after: {
              filter: request.filter,
              ...(request.signal && { signal: request.signal.name }),
              ...(request.force && { force: true }),
            },
          }),
      },
    );
    return tell(record, isNew);
  }

  purge(request: PurgeRequest): Promise<PurgePage> {
    return purge(request, this.parts.tools);
  }

  /** What the tool of the flow does. */
  async doPortion({ taskId, after, ms, signal }: PortionRequest): Promise<Portion> {
    const { tools } = this.parts;
    const { input_payload } = await tools.stored.readRow(taskId);
    const operation = parseJson(input_payload) as unknown as BulkOperation;
    const match = await matchOfOperation(operation, tools.tasks);
    const tally = new Tally();
    if (!match) return { ...tally.totals(), next: null };
    const acting: Acting = { operation, taskId, match, tally, isMeant: (flow) => isMeant(operation, flow) };
    const end = tools.clock.now() + ms;
    const act = operation.force ? cancelAllByForce : ACTIONS[operation.action];
    const next = await act(acting, after ?? undefined, tools, () => {
      signal.throwIfAborted();
      return tools.clock.now() < end;
    });
    return { ...tally.totals(), next: next ?? null };
  }

  async #count(
    operation: BulkOperation,
    match: RowFilter | undefined,
  ): Promise<{ readonly rows: readonly BriefRow[]; readonly tasks: number; readonly more: boolean }> {
    const { tasks: store, clock } = this.parts.tools;
    const sample: BriefRow[] = [];
    let tasks = 0;
    if (!match) return { rows: sample, tasks, more: false };
    const end = clock.now() + COUNT_MS;
    let after: ListKey | undefined;
    do {
      const page = await store.searchTasks({ filter: match, limit: PAGE, ...(after && { after }) });
      const rows = page.rows.filter(({ flow_name }) => isMeant(operation, flow_name));
      sample.push(...rows.slice(0, SAMPLE - sample.length));
      tasks += rows.length;
      after = page.next;
    } while (after && clock.now() < end);
    return { rows: sample, tasks, more: after !== undefined };
  }
}

async function matchOfOperation(
  operation: BulkOperation,
  store: Pick<ActionTools["tasks"], "pauses" | "limits" | "now">,
): Promise<RowFilter | undefined> {
  const filter = operation.filter === "" ? {} : parseFilterText(operation.filter);
  // no time in its filter depends on now
  return matchOf(operation, toRowFilter(filter, { now: 0, ...(await readHeld(filter, store)) }));
}
