// Reads the output of `bun test` for one file, for the summary at the end: counts, and each failure with its error.

const RESULT = /^\((pass|fail|skip|todo)\) /;
/** A line after a test's result that belongs to it. */
const REMARK = /^ +\^ /;
/** An error outside of any test, such as a file that cannot be loaded. It is printed between two rules. */
const ERROR_BETWEEN = "# Unhandled error between tests";
const RULE = /^-{20,}$/;
/** Everything after this line repeats earlier output. */
const RECAP = /^\d+ tests? failed:$/;
/** The line before the tests of a file. */
const FILE = /^(\S+\.test\.tsx?):$/;
const SUMMARY = /^ *(\d+) (pass|fail|skip|todo|errors?)$/;

/** The largest number of lines for one failure: its beginning says where it is, and its end what it is. */
const LINES_MAX = 60;

export interface Failure {
  readonly name: string;
  /** Undefined if the output does not name it. */
  readonly file: string | undefined;
  /** Includes the error. */
  readonly text: string;
}

export interface TestReport {
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

export function readReport(output: string): TestReport {
  const failures: Failure[] = [];
  let [passed, skipped] = [0, 0];
  /** Lines since the last result. If the next result is a failure, they belong to it. */
  let pending: string[] = [];
  let rules = 0;
  let file: string | undefined;
  const failureOf = (line: string, lines: readonly string[]): Failure => ({
    name: line.replace(/^\(fail\) | \[[\d.]+ms\]$/g, ""),
    file,
    text: shortened(lines),
  });
  for (const line of Bun.stripANSI(output).split("\n")) {
    if (RECAP.test(line)) break;
    file = FILE.exec(line)?.[1] ?? file;
    const result = RESULT.exec(line)?.[1];
    if (result === "pass") passed += 1;
    if (result === "skip" || result === "todo") skipped += 1;
    if (result === "fail") failures.push(failureOf(line, [...pending, line]));
    if (result !== undefined) pending = [];
    else if (REMARK.test(line) && pending.length === 0) remark(failures, line);
    else if (!SUMMARY.test(line)) pending.push(line);

    if (line === ERROR_BETWEEN) rules = 1;
    else if (rules > 0 && RULE.test(line) && rules++ === 2) {
      failures.push(failureOf("an error between tests", pending));
      [pending, rules] = [[], 0];
    }
  }
  return { passed, skipped, failures };
}

function remark(failures: Failure[], line: string): void {
  const last = failures.pop();
  if (last) failures.push({ ...last, text: `${last.text}\n${line}` });
}

/** Keeps only the beginning and the end of a text that is too long. */
export function shortened(all: readonly string[]): string {
  const lines = all.join("\n").trim().split("\n");
  const half = LINES_MAX / 2;
  return (lines.length > LINES_MAX ? [...lines.slice(0, half), "…", ...lines.slice(-half)] : lines).join("\n");
}
