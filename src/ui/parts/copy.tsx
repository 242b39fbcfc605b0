import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { inBackground } from "../in-background.ts";

export function Copy({ text, what }: { readonly text: string; readonly what: string }): ComponentChild {
  const [state, setState] = useState("Copy");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState("Copied");
    } catch {
      setState("Not allowed");
    }
    setTimeout(() => setState("Copy"), 1500);
  };
  return (
    <button type="button" class="small" aria-label={`Copy ${what}`} onClick={inBackground(copy)}>
      {state}
    </button>
  );
}
