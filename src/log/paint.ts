// Colour, where there is a terminal to show it.

/**
 * What comes after `ESC[`. The sixteen named colours are whatever a terminal makes of them, and its yellow or cyan may
 * vanish on white. So these are of the fixed 256: each stands out from black and from white (see the test).
 */
const CODES = {
  bold: "1",
  dim: "38;5;243",
  red: "38;5;196",
  green: "38;5;28",
  yellow: "38;5;130",
  blue: "38;5;63",
  cyan: "38;5;31",
} as const;

export type Color = keyof typeof CODES;

/** Gives the text in that colour, or as it is where colour is off. */
export type Paint = (color: Color, text: string) => string;

export function createPaint(enabled: boolean): Paint {
  return enabled ? (color, text) => `\u001b[${CODES[color]}m${text}\u001b[0m` : (_color, text) => text;
}

/** Colour goes to terminals only, and not where NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function wantsColor(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
