/** Whether the text is within the other, in any case of the letters A to Z: the same on every machine and database. */
export function isWithin(text: string, within: string): boolean {
  return lowerAscii(within).includes(lowerAscii(text));
}

export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
