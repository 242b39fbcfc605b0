// Figures of the store, which the server tells in the text that Prometheus reads.

const LINE = /^(\w+)\{flow="((?:[^"\\]|\\.)*)"\} (\S+)$/gm;

/** By metric, then by flow: those that have no other label. */
export function readFlowFigures(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const figures = new Map<string, Map<string, number>>();
  for (const [, name = "", flow = "", value] of text.matchAll(LINE)) {
    const ofName = figures.get(name) ?? new Map<string, number>();
    figures.set(name, ofName.set(flow, Number(value)));
  }
  return figures;
}
