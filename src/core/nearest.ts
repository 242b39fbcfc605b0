// Suggests a name for one that does not exist.

/** Words of other programs with their names here. The suggested text begins with the name. */
export type Synonyms = Readonly<Record<string, readonly string[]>>;

/** More suggestions would not help. */
const OFFERED_MAX = 3;

/** `; did you mean get-task?` if a name is similar to the typed word, or means the same; else an empty text. */
export function suggest(typed: string, names: readonly string[], synonyms: Synonyms = {}): string {
  const meant = findMeant(typed, names, synonyms);
  return meant.length === 0 ? "" : `; did you mean ${meant.join(" or ")}?`;
}

/** A synonym first, then names of which it is a word (`cancel` of cancel-task), then the one that is spelled nearly so. */
function findMeant(typed: string, names: readonly string[], synonyms: Synonyms): readonly string[] {
  const word = typed.toLowerCase();
  const known = (offers: readonly string[]): readonly string[] =>
    offers.filter((offer) => names.includes(offer.split(" ")[0] ?? ""));
  const own = Object.hasOwn(synonyms, word) ? known(synonyms[word] ?? []) : [];
  if (own.length > 0) return own;
  const parts = names.filter((name) => name.startsWith(`${word}-`) || name.endsWith(`-${word}`));
  if (word.length > 1 && parts.length > 0 && parts.length <= OFFERED_MAX) return parts;
  const nearest = findNearest(word, names);
  if (nearest !== undefined) return [nearest];
  const words = Object.keys(synonyms).filter((each) => each.length >= SYNONYM_LETTERS_MIN);
  const synonym = findNearest(word, words, SYNONYM_EDITS_MAX);
  return synonym === undefined ? [] : known(synonyms[synonym] ?? []);
}

/** A shorter misspelled word could be anything. */
const SYNONYM_LETTERS_MIN = 4;
const SYNONYM_EDITS_MAX = 1;

/** The name that needs the fewest edits, if those are at most a third of its length, and at most so many. `typed` is in lower case. */
export function findNearest(
  typed: string,
  names: readonly string[],
  editsMax = Number.POSITIVE_INFINITY,
): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of names) {
    // a longer text is never near, and its distance would cost length times length
    if (Math.abs(typed.length - name.length) > name.length / 3) continue;
    const edits = countEdits(typed, name.toLowerCase());
    if (edits < fewest && edits <= Math.min(Math.ceil(name.length / 3), editsMax)) {
      nearest = name;
      fewest = edits;
    }
  }
  return nearest;
}

/** How many characters to insert, delete, replace, or swap with their neighbour (optimal string alignment). */
function countEdits(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
