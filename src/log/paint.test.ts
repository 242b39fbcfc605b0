import { expect, test } from "bun:test";
import { type Color, createPaint } from "./paint.ts";

const COLORS: readonly Color[] = ["dim", "red", "green", "yellow", "blue", "cyan"];

/** Of the 6 × 6 × 6 cube, and the greys behind it: what every terminal with 256 colours shows. */
function rgbOf(code: number): readonly number[] {
  if (code >= 232) return Array.from({ length: 3 }, () => 8 + 10 * (code - 232));
  const levels = [0, 95, 135, 175, 215, 255];
  return [36, 6, 1].map((unit) => levels[Math.floor((code - 16) / unit) % 6] ?? 0);
}

/** WCAG 2.2, relative luminance. */
function luminanceOf(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb
    .map((level) => level / 255)
    .map((level) => (level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrastOf(one: readonly number[], other: readonly number[]): number {
  const [low = 0, high = 0] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

test.each(COLORS)("%s can be read on black and on white, and on what lies near them", (color) => {
  const [, code = ""] = /\[38;5;(\d+)mx/.exec(createPaint(true)(color, "x")) ?? [];
  for (const background of [
    [0, 0, 0],
    [30, 30, 30],
    [0, 43, 54],
    [255, 255, 255],
    [253, 246, 227],
  ]) {
    expect(contrastOf(rgbOf(Number(code)), background)).toBeGreaterThan(3);
  }
});
