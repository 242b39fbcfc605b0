import type { ComponentChild } from "preact";

/** What is wrong with rows of a list that the database has damaged; nothing if all are sound. */
export function Damaged({
  of: rows,
}: {
  readonly of: readonly { readonly damage?: string }[] | undefined;
}): ComponentChild {
  const damages = rows?.flatMap(({ damage }) => damage ?? []) ?? [];
  if (damages.length === 0) return null;
  return (
    <div class="failure" role="alert">
      {damages.map((damage) => (
        <p key={damage}>
          <span class="state bad">DAMAGED</span> {damage}
        </p>
      ))}
    </div>
  );
}
