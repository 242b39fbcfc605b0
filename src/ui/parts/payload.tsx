import type { ComponentChild } from "preact";
import { useMemo, useState } from "preact/hooks";
import { writeExact } from "../exact.ts";
import { useMe } from "../session.ts";
import { Copy } from "./copy.tsx";

/** The part of a longer text that is shown at first, and what each click adds: a browser takes seconds for a megabyte. */
const SHOWN_FIRST = 20_000;
const SHOWN_MORE = 100_000;

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
  const [shown, setShown] = useState(SHOWN_FIRST);
  // a view renders every second, and a long text only when it is another one
  const body = useMemo(() => <pre tabIndex={0}>{text.slice(0, shown)}</pre>, [text, shown]);
  const rest = text.length - shown;
  return (
    <section class="payload">
      <h3>
        {title} <Copy text={text} what={title} />
      </h3>
      {body}
      {rest > 0 && (
        <button type="button" class="small" onClick={() => setShown(shown + SHOWN_MORE)}>
          Show {Math.min(rest, SHOWN_MORE).toLocaleString()} of {rest.toLocaleString()} characters more
        </button>
      )}
    </section>
  );
}
