// A hint: what a person can do next. Only `Hints` makes one, from a draft in `hint-list.ts` and from the way the program was
// called. So the program cannot print a hint that the list does not have.

import type { Paint } from "../log/paint.ts";
import type { CommandNeeds } from "./command-needs.ts";
import { HINT_LIST, type HintDraft, type HintId } from "./hint-list.ts";
import { quoteWord } from "./shell-quote.ts";

class MadeHint {
  /** No other object passes for a hint. */
  protected readonly isMade = true;

  constructor(
    readonly id: HintId,
    /** A sentence, without a full stop where a command follows. */
    readonly text: string | undefined,
    /** One line for a POSIX shell. */
    readonly command: string | undefined,
  ) {}
}

export type Hint = MadeHint;

/** The part of a command that decides which options its hint gets. */
interface KnownCommand {
  readonly name: string;
  readonly needs: CommandNeeds;
  readonly readsOnly?: boolean;
}

export interface HintsOptions {
  /** As it was called, quoted for a shell. */
  readonly calledAs: string;
  readonly argv: readonly string[];
  /** The options as typed, by name; `lists`: those that may be given more than once. */
  readonly typed: {
    readonly flags: ReadonlyMap<string, string>;
    readonly lists: ReadonlyMap<string, readonly string[]>;
  };
  readonly commands: readonly KnownCommand[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The server that commands use. Undefined: they use a database. */
  readonly apiBaseUrl: string | undefined;
}

type Given<Id extends HintId> = Parameters<(typeof HINT_LIST)[Id]>;

export class Hints {
  constructor(private readonly options: HintsOptions) {}

  /** The file of a task's flow, if no named path has it: then each command loads it. */
  withFlows(path: string): Hints {
    const { typed } = this.options;
    const flows = [...(typed.lists.get("flows") ?? []), path];
    return new Hints({ ...this.options, typed: { ...typed, lists: new Map([...typed.lists, ["flows", flows]]) } });
  }

  get apiBaseUrl(): string | undefined {
    return this.options.apiBaseUrl;
  }

  get isRemote(): boolean {
    return this.options.apiBaseUrl !== undefined;
  }

  /**
   * A list with the hint of this name. The list is empty if its command could not be pasted: because a word cannot be
   * shown, because it needs a database and a server was named, or because the database ends with this process.
   */
  give<Id extends HintId>(id: Id, ...given: Given<Id>): readonly Hint[] {
    const make = HINT_LIST[id] as (...values: Given<Id>) => HintDraft;
    const draft = make(...given);
    if (draft.command === undefined) return [new MadeHint(id, draft.text, undefined)];
    const command = this.#lineOf(draft.command);
    return command === undefined ? [] : [new MadeHint(id, draft.text, command)];
  }

  /** What must be done before the commands of these hints work. */
  before(hints: readonly Hint[]): readonly Hint[] {
    const isSecret = (name: UrlFlag): boolean => {
      const url = this.options.typed.flags.get(name);
      return url !== undefined && hasSecret(url) && this.options.env[URL_FLAGS[name]] !== url;
    };
    return (Object.keys(URL_FLAGS) as UrlFlag[])
      .filter((name) => isSecret(name) && hints.some(({ command }) => command?.includes(`"$${URL_FLAGS[name]}"`)))
      .flatMap((name) => this.give("setUrlVariable", { variable: URL_FLAGS[name], flag: `--${name}` }));
  }

  #lineOf(draft: NonNullable<HintDraft["command"]>): string | undefined {
    if (draft.kind === "again") return this.#again(draft.more);
    const command = this.options.commands.find(({ name }) => name === draft.words[0]);
    const place = command === undefined || draft.kind === "bare" ? [] : this.#place(command);
    return place && this.#join(draft.words, place);
  }

  /** Whether the option was typed. */
  isTyped(name: string): boolean {
    return this.options.typed.flags.has(name);
  }

  /** The call as typed, with more options. They follow the command: at the end they could be read as a value. */
  #again(more: readonly string[]): string | undefined {
    const argv = withoutOption(this.options.argv, more[0] === "--flows" ? undefined : more[0]);
    const words = argv.map((word, index) => {
      const [, attached, value = ""] = /^(--[\w-]+=)(.*)$/s.exec(word) ?? [];
      const flag = (attached?.slice(0, -1) ?? argv[index - 1] ?? "").slice(2);
      const url = attached === undefined ? word : value;
      return isUrlFlag(flag) && hasSecret(url) ? `${attached ?? ""}"$${URL_FLAGS[flag]}"` : quoteWord(word);
    });
    const command = argv.findIndex((word) => this.options.commands.some(({ name }) => name === word));
    const before = words.slice(0, command + 1) as readonly string[];
    return words.includes(undefined)
      ? undefined
      : this.#join(
          [],
          [
            ...before,
            ...more.map((word) => quoteWord(word) ?? UNSHOWN),
            ...(words.slice(command + 1) as readonly string[]),
          ],
        );
  }

  /** The flags that name the database or server, and the flows. Undefined if the command cannot be used here. */
  #place({ needs, readsOnly }: KnownCommand): readonly string[] | undefined {
    const { typed } = this.options;
    const { isRemote } = this;
    if (needs === "program") return [];
    const flows =
      isRemote || readsOnly ? [] : (typed.lists.get("flows") ?? []).flatMap((path) => optionOf("flows", path));
    if (needs === "files") return flows;
    if (needs === "database" && isRemote) return undefined;
    const name: UrlFlag = isRemote ? "api-base-url" : "database-url";
    const url = typed.flags.get(name);
    if (url === undefined) return flows;
    if (IN_MEMORY.test(url)) return undefined;
    return [...(hasSecret(url) ? [`--${name}`, `"$${URL_FLAGS[name]}"`] : optionOf(name, url)), ...flows];
  }

  /** `ready` are quoted already. */
  #join(words: readonly string[], ready: readonly string[]): string | undefined {
    const quoted = words.map(quoteWord);
    return quoted.includes(undefined) || ready.includes(UNSHOWN)
      ? undefined
      : [this.options.calledAs, ...quoted, ...ready].join(" ");
  }
}

/** As lines for people: a command stands on a line of its own, to be copied whole. */
export function showHint({ text, command }: Hint, paint: Paint): string {
  if (text === undefined) return `${paint("cyan", "next:")} ${command}`;
  return `${paint("cyan", "hint:")} ${text}${command === undefined ? "" : `:\n  ${command}`}`;
}

const URL_FLAGS = { "database-url": "DATABASE_URL", "api-base-url": "TASKONAUT_API_URL" } as const;
type UrlFlag = keyof typeof URL_FLAGS;

function isUrlFlag(name: string): name is UrlFlag {
  return Object.hasOwn(URL_FLAGS, name);
}

const IN_MEMORY = /^\s*sqlite:(?:\/\/)?\/?:memory:\s*$/;

/** Whether the URL may hold a password. In doubt it does. */
function hasSecret(url: string): boolean {
  return /:\/\/[^@]*:[^@]*@/.test(url) || /[?&;][^=&]*(?:pass|pwd|secret|token)[^=&]*=/i.test(url);
}

const UNSHOWN = "\0";

/** It may be given once. */
function withoutOption(argv: readonly string[], option: string | undefined): readonly string[] {
  return argv.filter(
    (word, index) =>
      option === undefined || (word !== option && argv[index - 1] !== option && !word.startsWith(`${option}=`)),
  );
}

/** Quoted. A value that begins with a dash is attached with `=`, or it could be read as an option. */
function optionOf(name: string, value: string): readonly string[] {
  const quoted = quoteWord(value) ?? UNSHOWN;
  return value.startsWith("-") ? [`--${name}=${quoted}`] : [`--${name}`, quoted];
}
