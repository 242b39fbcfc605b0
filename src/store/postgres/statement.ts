// A statement over several tables in the making. A table without rows has no part in it, so there are a few texts, each
// prepared once for each connection.

import type { PostgresClient } from "./connection.ts";
import type { Part } from "./fields.ts";
import type { RowEncoding } from "./row-encoding.ts";
import type { Schema } from "./schema.ts";

export class Statement {
  readonly #parts: string[] = [];
  readonly #parameters: (string | null)[] = [];

  constructor(
    readonly schema: Schema,
    private readonly encoding: RowEncoding,
  ) {}

  add<Row>(rows: readonly Row[], part: Part<Row>): void {
    if (rows.length === 0) return;
    const parameters = this.encoding.write(part.fields, rows);
    const source = parameters.map((_, place) => `$${this.#parameters.length + place + 1}`);
    this.#parameters.push(...parameters);
    this.#parts.push(part.read(this.schema, (alias) => this.encoding.read(part.fields, source, alias)));
  }

  /** A part that reads what the parts before it have written. */
  addFixed(part: string): void {
    this.#parts.push(part);
  }

  /** `select` reads the parts. Without any part nothing is run. */
  async run<Row>(client: PostgresClient, select: string): Promise<readonly Row[]> {
    if (this.#parts.length === 0) return [];
    return client.query<Row>(`with ${this.#parts.join(", ")} ${select}`, this.#parameters);
  }
}
