// Lines over time. A separate file with the drawing library, so only the view with charts loads it.

import uPlot from "uplot";

interface PlotLine {
  readonly label: string;
  /** The name of a color in the style sheet: `--good`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

export interface PlotData {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
  readonly tell: (value: number) => string;
}

const HEIGHT = 220;

/** Draws into the element, at its full width, in the user's current colors. Returns a function that removes it. */
export function draw(place: HTMLElement, { times, lines, tell }: PlotData): () => void {
  const color = (name: string): string => {
    // a canvas does not know light-dark()
    place.style.color = `var(${name})`;
    const { color: resolved } = getComputedStyle(place);
    place.style.color = "";
    return resolved;
  };
  const axis = {
    stroke: color("--soft"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line") },
  };
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      series: [
        {},
        ...lines.map(({ label, color: name, values }) => ({
          label,
          stroke: color(name),
          width: 2,
          // a point between two gaps has no line
          points: { show: values.includes(null), size: 5, fill: color(name) },
          value: (_plot: uPlot, value: number | null) => (value === null ? "–" : tell(value)),
        })),
      ],
      axes: [axis, { ...axis, size: 64, values: (_plot, splits) => splits.map(tell) }],
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.05)] } },
      cursor: { drag: { x: false, y: false } },
    },
    [[...times], ...lines.map(({ values }) => [...values])],
    place,
  );
  const watch = new ResizeObserver(() => plot.setSize({ width: Math.max(200, place.clientWidth), height: HEIGHT }));
  watch.observe(place);
  return () => {
    watch.disconnect();
    plot.destroy();
  };
}
