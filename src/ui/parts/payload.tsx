import type { ComponentChild } from "preact";
import { useMemo } from "preact/hooks";
import { writeExact } from "../exact.ts";
import { Copy } from "./copy.tsx";

/** A longer text is shown up to here until somebody wants it whole: a page with 10 MB in it does not scroll. */
const SHOWN_MAX = 20_000;

interface Props {
  readonly title: string;
  readonly value: unknown;
  /** It is no JSON, but this text. */
  readonly isText?: boolean;
}

/** Stored JSON, with its numbers as they are written. */
export function Payload({ title, value, isText = false }: Props): ComponentChild {
  const text = useMemo(() => (isText ? String(value) : writeExact(value)), [value]);
  const rest = text.length - SHOWN_MAX;
  return (
    <section class="payload">
      <h3>
        {title} <Copy text={text} what={title} />
      </h3>
      <pre tabIndex={0}>{rest > 0 ? text.slice(0, SHOWN_MAX) : text}</pre>
      {rest > 0 && (
        <details>
          <summary>{rest.toLocaleString()} characters more</summary>
          <pre>{text.slice(SHOWN_MAX)}</pre>
        </details>
      )}
    </section>
  );
}
