// Questions for a person at a terminal, on stderr.

import type * as Clack from "@clack/prompts";
import { TaskonautError } from "../../core/errors.ts";
import { showControls } from "../../core/visible.ts";
import { wrapText } from "../cells.ts";
import type { Call } from "../command.ts";
import type { Io } from "../io.ts";

interface Choice<Value> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

interface TextQuestion {
  /** Shown while nothing is typed. */
  readonly placeholder?: string;
  /** Taken where nothing is typed. */
  readonly preset?: string;
  /** What was typed before, to be changed. */
  readonly initial?: string;
  /** What is wrong with what was typed; undefined: nothing. */
  readonly validate: (text: string) => string | undefined;
}

/** Each throws `cancelled` when it is answered with Ctrl-C or Escape. Messages may hold anything that users wrote. */
export interface Questions {
  text(message: string, question: TextQuestion): Promise<string>;
  yesNo(message: string, initial: boolean): Promise<boolean>;
  /** `initial`: the place of the choice that Enter takes. */
  choose<Value>(message: string, choices: readonly Choice<Value>[], initial?: number): Promise<Value>;
  /** Says what was wrong with the answers. */
  complain(messages: readonly string[]): void;
}

/** A person is there, and wants text. */
export function canAsk({ io, look }: Pick<Call, "io" | "look">): boolean {
  return io.stdinIsTTY && io.stderr.isTTY && look.style === "readable";
}

/** `farewell` is what a person is told who leaves. */
export async function openQuestions(
  { openTerminal, stderr }: Pick<Io, "openTerminal" | "stderr">,
  farewell: string,
): Promise<Questions> {
  // loaded here, because every other command starts faster without it
  const clack = await import("@clack/prompts");
  const streams = openTerminal();
  const settle = <T>(answer: T | typeof Clack.CANCEL_SYMBOL): T => {
    if (clack.isCancel(answer)) throw new TaskonautError("cancelled", farewell);
    return answer;
  };
  const wrap = (text: string): string =>
    wrapText(showControls(text), Math.max(stderr.columns - GUIDE_COLUMNS, WIDTH_MIN)).join(`\n${clack.S_BAR}  `);

  return {
    async text(message, { placeholder = "", preset, initial, validate }) {
      const asked = {
        message: wrap(message),
        placeholder: showControls(preset === undefined || preset === "" ? placeholder : preset),
        ...(preset !== undefined && { defaultValue: preset }),
        ...(initial !== undefined && { initialValue: initial }),
        validate: (text: string | undefined): string | undefined => {
          const wrong = validate(text ?? "");
          return wrong === undefined ? undefined : wrap(wrong);
        },
      };
      return settle(await clack.text({ ...streams, ...asked })) ?? "";
    },

    async yesNo(message, initial) {
      return settle(await clack.confirm({ ...streams, message: wrap(message), initialValue: initial }));
    },

    async choose(message, choices, initial = 0) {
      const options = choices.map(({ label, hint }, index) => ({
        value: index,
        label: showControls(label),
        ...(hint !== undefined && { hint: showControls(hint) }),
      }));
      const asked = { message: wrap(message), options, initialValue: initial, showInstructions: false };
      const index = settle(await clack.select<number>({ ...streams, ...asked }));
      const chosen = choices[index];
      if (!chosen) throw new Error(`There is no choice ${index}.`);
      return chosen.value;
    },

    complain(messages) {
      for (const message of messages) clack.log.error(wrap(message), { output: streams.output });
    },
  };
}

/** Of what stands to the left of a question. */
const GUIDE_COLUMNS = 3;
const WIDTH_MIN = 16;
