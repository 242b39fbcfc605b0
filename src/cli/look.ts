import { createPaint, type Paint, wantsColor } from "../log/paint.ts";
import type { Env, Output } from "./io.ts";

/** How data looks on stdout. */
export interface Look {
  /** `readable`: for a person at a terminal; `pretty` and `compact`: JSON, for a terminal and for programs. */
  readonly style: "readable" | "pretty" | "compact";
  readonly columns: number;
  readonly paint: Paint;
}

export function chooseLook(stdout: Output, wantsJson: boolean, env: Env): Look {
  const style = !stdout.isTTY ? "compact" : wantsJson ? "pretty" : "readable";
  return { style, columns: stdout.columns, paint: createPaint(wantsColor(stdout.isTTY, env)) };
}
