import { rowDamaged } from "../../store/record-damaged.ts";

interface Place {
  /** The store's location, for people. */
  readonly location: string;
  readonly table: string;
  /** The row, for people: `The token ci`. */
  readonly row: string;
}

/** Gives the row back. Throws record_damaged if one of these columns holds a number that is no time. */
export function assertTimes<Name extends string, Row extends Readonly<Record<Name, number | null>>>(
  row: Row,
  columns: readonly Name[],
  place: Place,
): Row {
  const wrong = columns.find((name) => row[name] !== null && Number.isNaN(new Date(row[name] ?? 0).getTime()));
  if (wrong !== undefined) throw rowDamaged({ ...place, what: `its ${wrong} is not a time` });
  return row;
}
