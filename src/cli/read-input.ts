// A flow's input as it was given: by fields, or whole, by `--input`: JSON text, `@file`, or `-` for stdin.

import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { Call, Option } from "./command.ts";
import { readFields } from "./input-fields.ts";
import { PAYLOAD_FORM, readPayload } from "./read-payload.ts";
import { usageError } from "./usage.ts";

export const INPUT_OPTION: Option = {
  name: "input",
  value: PAYLOAD_FORM,
  summary: "The whole input: JSON, @file, or - for stdin; in place of fields",
};

/** From `--input` or from fields; `{}` where there is neither. `describe` is asked only for fields. Throws usage. */
export async function readInput(
  { flags, fields, io }: Pick<Call, "flags" | "fields" | "io">,
  options: readonly Option[],
  describe: () => Promise<FlowDescription>,
): Promise<unknown> {
  const given = flags.get(INPUT_OPTION.name);
  if (given === undefined) return fields.length === 0 ? {} : readFields(await describe(), fields, options);
  if (fields.length > 0) {
    const names = [...new Set(fields.map(([name]) => `--${name}`))];
    throw usageError([
      { path: "--input", message: `contradicts ${names.join(", ")}: give the whole input or its fields` },
    ]);
  }
  return readPayload(given, { option: "--input", io });
}
