// What the server plans for a statement of the store, whatever its tables hold or seem to hold.

import { dirname } from "node:path";

import { type Parameter, PostgresClient, type Query } from "../../src/store/postgres/connection.ts";
import { quoteText } from "../../src/store/postgres/schema.ts";

export interface Statement {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

/** A client that takes statements down, and runs none: the first ones get the answers that it was given. */
class Notebook extends PostgresClient {
  readonly statements: Statement[] = [];

  constructor(private readonly answers: readonly unknown[][] = []) {
    super({ url: "postgres://nobody@127.0.0.1:1/nothing", connectionsMax: 1, deadlineMs: 1 });
  }

  override query<Row>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    this.statements.push({ text, parameters });
    const answer = this.answers[this.statements.length - 1];
    return answer ? Promise.resolve(answer as Row[]) : Promise.reject(new Error("Nothing is run here."));
  }

  override read<Row>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    return this.query(text, parameters);
  }

  override queryAfter<Row>(script: string, { text, parameters }: Query): Promise<Row[]> {
    this.statements.push({ text: script, parameters: [] }, { text, parameters });
    return Promise.reject(new Error("Nothing is run here."));
  }

  override execute<Row>(script: string): Promise<Row[]> {
    for (const text of script.split(/;\s*\n/)) this.statements.push({ text, parameters: [] });
    return Promise.reject(new Error("Nothing is run here."));
  }
}

/** The statements that `use` begins with: it ends where it would need an answer that there is not. */
export async function takeDown(
  use: (client: PostgresClient) => Promise<unknown>,
  answers: readonly unknown[][] = [],
): Promise<readonly Statement[]> {
  const notebook = new Notebook(answers);
  await use(notebook).catch(() => {});
  if (notebook.statements.length === 0) throw new Error("No statement was taken down.");
  return notebook.statements;
}

export interface Plan {
  readonly cost: number;
  /** How each table is read: `Index Scan tasks tasks_pkey (id)`. */
  readonly reads: readonly string[];
  readonly isCompiled: boolean;
}

export type PlanMode = "force_generic_plan" | "force_custom_plan";

/** The client has one connection. */
export async function explain(client: PostgresClient, { text, parameters }: Statement, mode: PlanMode): Promise<Plan> {
  await client.execute(`set plan_cache_mode = ${mode}`);
  const values = parameters.map((value) => (value === null ? "null" : quoteText(String(value))));
  const name = `plan_${crypto.randomUUID().replaceAll("-", "")}`;
  const [row] = await client.execute<{ "QUERY PLAN": readonly Explained[] }>(
    `prepare ${name} as ${text};
     explain (format json) execute ${name}${values.length > 0 ? `(${values.join(", ")})` : ""}`,
  );
  await client.execute(`deallocate ${name}`);
  const [explained] = row?.["QUERY PLAN"] ?? [];
  if (!explained) throw new Error("The server explained nothing.");
  return {
    cost: explained.Plan["Total Cost"],
    reads: readsOf(explained.Plan).toSorted(),
    isCompiled: explained.JIT !== undefined,
  };
}

/** Tables that stay small, whatever is in the others: reading all of one is as good as anything. */
export const FEW_ROWS: readonly string[] = [
  "workers",
  "pauses",
  "limits",
  // a hundred of each limit at most
  "limit_starts",
  "tokens",
  "schedule_sources",
  "event_journal",
  "audit_head",
  "duties",
  // they are put together all the time
  "task_counts",
];

interface Explained {
  readonly Plan: PlanNode;
  readonly JIT?: unknown;
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Total Cost": number;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Of each read of a table: how, and which columns of the index are looked up. */
function readsOf(node: PlanNode): readonly string[] {
  const { "Node Type": type, "Relation Name": table, "Index Name": index, "Index Cond": condition = "" } = node;
  const below = (node.Plans ?? []).flatMap(readsOf);
  if (table === undefined || FEW_ROWS.includes(table) || type === "ModifyTable") return below;
  const columns = [...condition.matchAll(/(\w+)\)* (?:=|<|>|IS)/g)].map(([, column]) => column);
  // which of the two it is depends on what vacuum has seen
  const how = type.replace("Index Only Scan", "Index Scan");
  return [`${how} ${table} ${index ?? ""} (${columns.join(", ")})`, ...below];
}

/** The folder of a server's programs that the system has (where Debian puts them), one that may compile statements; undefined: there is none. */
export function findSystemServer(): string | undefined {
  return [...new Bun.Glob("postgresql/*/bin/initdb").scanSync({ cwd: "/usr/lib", absolute: true })]
    .map((path) => dirname(path))
    .at(-1);
}
