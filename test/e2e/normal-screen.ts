// What a terminal showed, without what is another one in each run: ids, times, ports, folders, and how long things took.

/** Ids, times and folders stay as long as they were. */
export function normalize(text: string): string {
  return (
    text
      .replace(/\b[\da-f]{8}-[\da-f]{4}(?:-[\da-f-]*)?\b/g, (id) => id.replaceAll(/[\da-f]/g, "0"))
      .replace(/\btrace [\da-f]{32}\b/g, `trace ${"0".repeat(32)}`)
      .replace(/\b\d{4}-\d\d(?:-\d\d(?: \d\d:\d\d(?::\d\d(?:\.\d{1,3}Z?)?)?)?)?/g, (time) =>
        time.replaceAll(/\d/g, "0"),
      )
      // of a time that is broken, the second half
      .replace(/^ +(?:\d\d:[\d:.]+Z?|\d*Z)$/gm, (time) => time.replaceAll(/\d/g, "0"))
      .replace(/(begin\s+with\s+)[\da-f]{4}/, "$10000")
      .replace(/taskonaut-e2e-\w*/g, (folder) => `taskonaut-e2e-${"x".repeat(folder.length - 14)}`)
  );
}

/** The same of a screen on which something ran: what stands beside a time that was measured moves with it. */
export function normalizeRun(text: string): string {
  return (
    normalize(text)
      .replace(/\b\d s ago\b/g, "just now")
      .replace(/( {2,}|\()in \d+ (?:s|min|h|d)( +(?=\d))?/g, (_, before: string, after?: string) =>
        before === "(" ? "(in N min" : `  in N min${after === undefined ? "" : "  "}`,
      )
      .replace(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) 0000-00-00 00:00 [+-]\d\d:\d\d/g, "Day 0000-00-00 00:00 +00:00")
      // of an id or a key that is cut, what is left
      .replace(/\b[\da-f]{8}-[\da-f]{0,3}…/g, "00000000-…")
      .replace(/:[\da-f]{1,8}[\da-f-]*…/g, ":…")
      // the id of a token
      .replace(/(\bci\}? {2,})[a-z0-9]{12}/g, "$1000000000000")
      .replace(/\btook [\d.]+ (?:ms|s|min)\b/g, "took N ms")
      .replace(/\d\d:\d\d:\d\d(?=\}? \{?\w* ?(?:INFO|WARN|ERROR))/g, "00:00:00")
      .replace(/\b[\d.]+ms\b/g, "N ms")
      // the runner paints what takes long
      .replaceAll("{dim [}{bold dim N ms}{dim ]}", "{dim [N ms]}")
      .replace(
        / {2,}[\d.]+ (?:ms|s)(?= {2}|$)(.*…\}?$)?/gm,
        // how much of the text is cut follows from how wide the time is; its color does not
        (_, cut: string | undefined = "") => `  N ms${cut.replace(/^ *(\{\w+ )?.*…(\}?)$/, "  $1…$2")}`,
      )
      .replace(/ {2,}(\{\w+ )?(TIME|AFTER|TOOK)\b/g, "  $1$2")
      .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:00000")
      .replace(/\d+ bytes/g, "N bytes")
      .replace(/taskonaut \d[\w.-]* \(commit [\w-]+,\s+Bun [\d.]+\)/, "taskonaut 0.0.0 (commit 0000000, Bun 0.0.0)")
  );
}

/** Of measurements only the words are left. */
export function normalizeMeasured(text: string): string {
  return (
    text
      // the machine: how many lines its name takes is its own
      .replace(/(synchronous \w+)\s[^]*?\bBun\s+[\d.]+/, "$1 machine")
      .replaceAll(/\s*sqlite:\S+\s*/g, " sqlite:… ")
      .replaceAll(/[\d.]+/g, "N")
      .replaceAll(/\s+/g, " ")
      // which columns a terminal has room for follows from how wide the figures are
      .replace(/(?<=synchronous \w+ machine).*?(?= Median)/, (table) => {
        const rows = table.match(/create|drain(?: echo_add|, at-least-once)/g) ?? [];
        return [" RATIO", ...rows].filter((word) => table.includes(word)).join(" … ");
      })
  );
}
