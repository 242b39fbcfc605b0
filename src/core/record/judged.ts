/** A row as it was read. `damage` says what is wrong with it; then its values are only what can be shown. */
export type Judged<Row> = Row & { readonly damage?: string };
