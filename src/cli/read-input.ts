// A flow's input as given: by fields, by `--input` (JSON text, `@file`, or `-` for stdin), or as data on stdin.

import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { readFields } from "./input-fields.ts";
import { PAYLOAD_FORM, readPayload, readStdin, refuseStdin } from "./read-payload.ts";
import { usageError } from "./usage.ts";

export const INPUT_OPTION: Option = {
  name: "input",
  value: PAYLOAD_FORM,
  summary: "The whole input: JSON, @file, or - for stdin; in place of fields",
};

/**
 * From `--input`, from fields, or from data on stdin; `{}` without any of them. `describe` is called only for fields.
 * Throws usage, also if the input is given twice.
 */
export async function readInput(
  { flags, fields, io }: Pick<Call, "flags" | "fields" | "io">,
  options: readonly Option[],
  describe: () => Promise<FlowDescription>,
): Promise<unknown> {
  const option = `--${INPUT_OPTION.name}`;
  const given = flags.get(INPUT_OPTION.name);
  const names = [...new Set(fields.map(([name]) => `--${name}`))].join(", ");
  if (given !== undefined && fields.length > 0)
    throw usageError([{ path: option, message: `contradicts ${names}: give the whole input or its fields` }]);
  if (given !== undefined) return readPayload(given, { option, io });
  if (fields.length === 0) {
    const found = await readStdin({ io, flags }, option);
    return found ? found.value : {};
  }
  const input = readFields(await describe(), fields, options);
  refuseStdin(io, { givenBy: names, option });
  return input;
}
