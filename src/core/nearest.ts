/** `; did you mean get-task?` where one of the names is close to what was typed, else nothing. */
export function suggest(typed: string, names: readonly string[]): string {
  const nearest = findNearest(typed, names);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}

/** The name that needs the fewest edits, if those are at most a third of its length. */
function findNearest(typed: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of names) {
    // a longer text is never near, and its distance would cost length times length
    if (Math.abs(typed.length - name.length) > name.length / 3) continue;
    const edits = countEdits(typed, name);
    if (edits < fewest && edits <= Math.ceil(name.length / 3)) {
      nearest = name;
      fewest = edits;
    }
  }
  return nearest;
}

/** Levenshtein's distance: how many characters to insert, delete or replace. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
