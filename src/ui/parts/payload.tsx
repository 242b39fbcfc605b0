import type { ComponentChild } from "preact";
import { useMemo } from "preact/hooks";
import { writeExact } from "../exact.ts";
import { useMe } from "../session.ts";
import { Copy } from "./copy.tsx";

/** The part of a longer text that is shown at first: a page with 10 MB in it does not scroll. */
const SHOWN_MAX = 20_000;

interface Props {
  readonly title: string;
  readonly value: unknown;
  /** The value is not JSON, but this text. */
  readonly isText?: boolean;
}

interface Stored {
  readonly input_payload: unknown;
  /** Null: no output. */
  readonly output_payload?: unknown;
}

/** Stored input and output. If a token hides them, it says so. */
export function Payloads({ input_payload: input, output_payload: output = null }: Stored): ComponentChild {
  const me = useMe();
  if (me?.hides_payloads === true) return <p class="hint">Inputs and outputs are hidden from your token.</p>;
  if (!me && input === null) return null; // the user is not known yet
  return (
    <>
      <Payload title="Input" value={input} />
      {output !== null && <Payload title="Output" value={output} />}
    </>
  );
}

/** Stored JSON. Its numbers keep their text. */
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
