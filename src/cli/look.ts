import { createPaint, type Paint, wantsColor } from "../log/paint.ts";
import type { Format } from "./format.ts";
import type { Env, Io, Output } from "./io.ts";

/** How data looks on stdout. */
export interface Look {
  /**
   * `readable`: for a person; `pretty` and `compact`: JSON, for a terminal and for programs; `lines`: JSON as well, and
   * of a list each value on a line of its own.
   */
  readonly style: "readable" | "pretty" | "compact" | "lines";
  readonly columns: number;
  readonly paint: Paint;
  /** The wall clock, milliseconds since 1970: ages are told by it. */
  readonly now: () => number;
}

/** `format`: undefined where nobody said, so that a terminal gets text and a program JSON. */
export function chooseLook(
  { isTTY, columns }: Output,
  format: Format | undefined,
  { env, io }: { readonly env: Env; readonly io: Pick<Io, "time"> },
): Look {
  return {
    style: chooseStyle(format ?? (isTTY ? "table" : "json"), isTTY),
    columns: isTTY ? columns : columnsOf(env, columns),
    paint: createPaint(wantsColor(isTTY, env)),
    now: () => io.time(),
  };
}

function chooseStyle(format: Format, isTTY: boolean): Look["style"] {
  switch (format) {
    case "table":
      return "readable";
    case "ndjson":
      return "lines";
    case "json":
      return isTTY ? "pretty" : "compact";
  }
}

/** A table in a pipe is as wide as COLUMNS says. */
function columnsOf(env: Env, otherwise: number): number {
  const said = env["COLUMNS"] ?? "";
  return /^[1-9]\d{0,3}$/.test(said) ? Number(said) : otherwise;
}
