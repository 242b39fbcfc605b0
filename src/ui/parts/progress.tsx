import type { ComponentChild } from "preact";
import type { Progress as ToolProgress } from "../../core/record/progress.ts";

/** A tool's progress, as it reports it. */
export function Progress({ progress }: { readonly progress: ToolProgress | null | undefined }): ComponentChild {
  if (!progress) return null;
  const { done, total, message } = progress;
  const count =
    done === undefined ? "" : `${done.toLocaleString()}${total === undefined ? "" : ` of ${total.toLocaleString()}`}`;
  return (
    <span class="progress">
      {done !== undefined && total !== undefined && <progress max={total} value={done} aria-label={count} />} {count}{" "}
      {message}
    </span>
  );
}
