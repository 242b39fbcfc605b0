// Builds a statement over several tables. A table without rows is left out, so there are only a few texts, each
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

  /** `select` reads the parts. If there are no parts, nothing runs. */
  async run<Row>(client: PostgresClient, select: string): Promise<readonly Row[]> {
    if (this.#parts.length === 0) return [];
    return client.query<Row>(`with ${this.#parts.join(", ")} ${select}`, this.#parameters);
  }
}
