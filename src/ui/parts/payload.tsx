import type { ComponentChild } from "preact";
import { useMemo } from "preact/hooks";
import { writeExact } from "../exact.ts";
import { useMe } from "../session.ts";
import { Copy } from "./copy.tsx";

/** A longer text is shown up to here until somebody wants it whole: a page with 10 MB in it does not scroll. */
const SHOWN_MAX = 20_000;

interface Props {
  readonly title: string;
  readonly value: unknown;
  /** It is no JSON, but this text. */
  readonly isText?: boolean;
}

interface Stored {
  readonly input_payload: unknown;
  /** Null: there is none. */
  readonly output_payload?: unknown;
}

/** Input and output, as they are stored; where a token hides them, that they are hidden. */
export function Payloads({ input_payload: input, output_payload: output = null }: Stored): ComponentChild {
  const me = useMe();
  if (me?.hides_payloads === true) return <p class="hint">Inputs and outputs are hidden from your token.</p>;
  if (!me && input === null) return null; // it is not known yet who looks
  return (
    <>
      <Payload title="Input" value={input} />
      {output !== null && <Payload title="Output" value={output} />}
    </>
  );
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
