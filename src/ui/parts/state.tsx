import type { ComponentChild } from "preact";
import type { Standing } from "../standing.ts";

export function State({ standing }: { readonly standing: Standing }): ComponentChild {
  return <span class={`state ${standing.tone}`}>{standing.text}</span>;
}
