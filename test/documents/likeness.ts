// Whether what a command printed is what a page shows. What differs from run to run counts as the same: ids, times, how long
// something took, ports, processes, and how wide a column is because of them.

const SAME: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<id>"],
  [/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{3})?)?Z?/g, "<time>"],
  [/\b\d\d:\d\d:\d\d(?:\.\d+)?\b/g, "<time>"],
  [/\b(?:127\.0\.0\.1|localhost):\d+/g, "<address>"],
  [/(?:\d+(?:\.\d+)? ?(?:ms|s|min|m|h|d)\b ?)+/g, "<duration>"],
  [/[\w.-]+:\d{2,}(?:-\d+)?\b/g, "<process>"],
  [/ {2,}/g, "  "],
  [/-{3,}|─{3,}/g, "---"],
];

const ANYTHING = "…";

/** What is wrong with it; undefined: nothing. A line `…` stands for any number of lines, and at the end of one for its rest. */
export function unlike(shown: readonly string[], printed: readonly string[]): string | undefined {
  const [wanted, got] = [trimmed(shown), trimmed(printed)];
  if (follows(wanted.map(normal), got.map(normal))) return undefined;
  return `the page shows\n${quote(wanted)}\nand it printed\n${quote(got)}`;
}

function follows(wanted: readonly string[], got: readonly string[]): boolean {
  const [first, ...rest] = wanted;
  if (first === undefined) return got.length === 0;
  if (first === ANYTHING) return got.some((_, at) => follows(rest, got.slice(at))) || follows(rest, []);
  const [line] = got;
  if (line === undefined) return false;
  const isLine = first.endsWith(ANYTHING) ? line.startsWith(first.slice(0, -ANYTHING.length)) : line === first;
  return isLine && follows(rest, got.slice(1));
}

function trimmed(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1);
}

function normal(line: string): string {
  return SAME.reduce((text, [pattern, name]) => text.replaceAll(pattern, name), line.trimEnd()).trimEnd();
}

function quote(lines: readonly string[]): string {
  return lines.map((line) => `  | ${line}`).join("\n");
}
