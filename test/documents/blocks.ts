// The fenced blocks of a page, and the commands in them.

export interface Block {
  readonly page: string;
  /** Of its first line, from 1 on. */
  readonly line: number;
  /** `ts`, `sh`, `console`, … */
  readonly language: string;
  /** What stands behind the language: `second terminal`. */
  readonly remark: string;
  readonly text: string;
  /** What the first line names, where it is a comment that names a file: `// flows/<name>.ts`. */
  readonly file: string | undefined;
}

export interface Command {
  readonly text: string;
  /** 0, but where a comment says something else: `# exits with 2`. */
  readonly exit: number;
  /** What is printed; undefined: whatever it is. */
  readonly output: readonly string[] | undefined;
}

export function blocksOf(documents: ReadonlyMap<string, string>): readonly Block[] {
  return [...documents].flatMap(([page, text]) =>
    [...text.matchAll(/^```(\w+)(?: ([^\n]*))?\n(.*?)^```$/gms)].map((found) => {
      const [, language = "", remark = "", block = ""] = found;
      const [, file] = /^(?:\/\/|#|--) ([\w./-]+\.\w+)\n/.exec(block) ?? [];
      return { page, line: text.slice(0, found.index).split("\n").length + 1, language, remark, text: block, file };
    }),
  );
}

/** For a reader of a failure. */
export function placeOf({ page, line }: Pick<Block, "page" | "line">): string {
  return `${page}:${line}`;
}

/** `sh`: a command on each line. `console`: those behind `$ `, each with what is printed below it. */
export function commandsOf({ language, text }: Block): readonly Command[] {
  const lines = text
    .replaceAll(/ *\\\n(?:> )? */g, " ")
    .split("\n")
    .slice(0, -1);
  if (language === "sh") return lines.filter((line) => !/^(?:#|$)/.test(line)).map((line) => command(line));
  const starts = lines.flatMap((line, at) => (line.startsWith("$ ") ? [at] : []));
  return starts.map((start, at) => command(lines[start]!.slice(2), lines.slice(start + 1, starts[at + 1])));
}

function command(text: string, output?: readonly string[]): Command {
  const [, exit = "0"] = /# exits with (\d+)/.exec(text) ?? [];
  return { text, exit: Number(exit), output };
}
