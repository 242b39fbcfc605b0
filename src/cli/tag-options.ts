// Tags of a new task: `--tag customer=c1 --tag region=eu`.

import { readTagTexts, type Tags } from "../core/record/tags.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

export const TAG_OPTION: Option = {
  name: "tag",
  value: "key=value",
  repeatable: true,
  summary: "A tag by which the task is found; may be repeated",
};

/** Nothing where none is given. Throws usage. */
export function readTagOptions({ lists }: Pick<Call, "lists">): { readonly tags?: Tags } {
  const { tags, errors } = readTagTexts(lists.get(TAG_OPTION.name) ?? [], `--${TAG_OPTION.name}`);
  if (errors.length > 0) throw usageError(errors);
  return tags === undefined ? {} : { tags };
}
