// A chart for sighted users. The view's table has the same figures.

import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { inBackground } from "../in-background.ts";
import type { PlotData } from "./plot.ts";

interface ChartProps extends PlotData {
  readonly title: string;
  /** A description of the chart in words. */
  readonly summary: string;
}

export function Chart({ title, summary, ...data }: ChartProps): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useScheme();
  const { times, lines } = data;
  useEffect(() => {
    let remove: (() => void) | undefined;
    let hasLeft = false;
    inBackground(async () => {
      const { draw } = await import("./plot.ts");
      if (!hasLeft && place.current) remove = draw(place.current, data);
    })();
    return () => {
      hasLeft = true;
      remove?.();
    };
  }, [times, lines, scheme]);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={summary} />
    </figure>
  );
}

/** The value changes when the user's colors change. */
function useScheme(): boolean {
  const [isDark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const onChange = (): void => setDark(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  return isDark;
}
