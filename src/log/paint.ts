// Colour, where there is a terminal to show it.

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;

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
