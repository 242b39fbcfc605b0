import type { ComponentChild } from "preact";
import type { Standing } from "../../core/api/standing.ts";

export function State({ standing }: { readonly standing: Standing }): ComponentChild {
  return <span class={`state ${standing.tone}`}>{standing.text}</span>;
}
