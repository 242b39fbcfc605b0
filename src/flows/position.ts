import { readFileSync } from "node:fs";

/** `<path>:<line>:<column>`, both from 1, of the first match in a file. Without a match, only the path. */
export function positionOf(path: string, form: RegExp, text: string = readFileSync(path, "utf8")): string {
  const offset = text.search(form);
  return offset < 0 ? path : placeOf(path, text, offset);
}

/** The same for an offset in a file's text. */
export function placeOf(path: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The offset of a line and a column, both from 1. */
export function offsetOf(text: string, line: number, column: number): number {
  const before = text.split("\n").slice(0, line - 1);
  return before.reduce((offset, each) => offset + each.length + 1, 0) + column - 1;
}
