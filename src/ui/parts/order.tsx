// A button that acts on a task. It shows the matching command, asks first if the action destroys something, and shows
// the server's answer.

import type { ComponentChild } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, post } from "../api.ts";
import { inBackground } from "../in-background.ts";
import { Copy } from "./copy.tsx";
import { Failure } from "./failure.tsx";

interface Props {
  readonly title: string;
  /** `/tasks/<id>/retry`. */
  readonly path: string;
  /** The text of the request's body. */
  readonly json?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The confirmation question. Unset if nothing is lost. */
  readonly question?: string;
  /** The same action on the command line. */
  readonly command: string;
  readonly isPrimary?: boolean;
  /** Called with the server's answer. */
  readonly onDone: (answer: unknown) => void;
}

export function Order({
  title,
  path,
  json,
  headers,
  question,
  command,
  isPrimary = false,
  onDone,
}: Props): ComponentChild {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const own = button.current;
    return () => {
      // what was done often takes its button away: who uses the keyboard goes on at the top of the view
      if (own === document.activeElement) document.getElementById("main")?.focus({ preventScroll: true });
    };
  }, []);
  const carryOut = async (): Promise<void> => {
    if (isBusy) return;
    if (question !== undefined && !confirm(question)) return;
    setBusy(true);
    try {
      const answer = await post(path, json, headers);
      setError(undefined);
      onDone(answer);
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="order">
      {/* a button that is disabled loses the focus */}
      <button
        ref={button}
        type="button"
        class={question === undefined ? (isPrimary ? "primary" : "") : "danger"}
        aria-disabled={isBusy}
        onClick={inBackground(carryOut)}
      >
        {isBusy ? `${title}…` : title}
      </button>
      <code>{command}</code>
      <Copy text={command} what="the command" />
      <Failure error={error} />
      {error?.code === "unreachable" && (
        <p class="failure" role="alert">
          The server did not answer: it may have been done. The page shows how the task stands as soon as it answers.
        </p>
      )}
    </div>
  );
}
