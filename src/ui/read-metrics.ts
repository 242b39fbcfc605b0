// The store's figures, from the server's Prometheus text.

const LINE = /^(\w+)\{flow="((?:[^"\\]|\\.)*)"\} (\S+)$/gm;

/** By metric, then by flow. Only series without other labels. */
export function readFlowFigures(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const figures = new Map<string, Map<string, number>>();
  for (const [, name = "", flow = "", value] of text.matchAll(LINE)) {
    const ofName = figures.get(name) ?? new Map<string, number>();
    figures.set(name, ofName.set(flow, Number(value)));
  }
  return figures;
}
