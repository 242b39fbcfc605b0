// Counters, gauges and histograms, and their text for Prometheus. Every task is observed several times, so one
// observation may take only tens of nanoseconds (a client library takes hundreds). Therefore callers look up a series
// once, and keep it.
//
// Text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/

/** A metric begins no further series above this number: a label with arbitrary values must not fill the memory. */
const SERIES_MAX = 2000;

/** The label value that then stands for all others. */
const OTHERS = "other";

type Labels<Name extends string> = Readonly<Record<Name, string>>;

interface Reading<Name extends string> {
  readonly type?: "gauge" | "counter";
  readonly labels: readonly Name[];
  readonly read: () => Iterable<readonly [Labels<Name>, number]>;
}

interface Metric {
  /** The metric's lines, each with its line end. */
  write(): string;
}

export class Registry {
  readonly #metrics: Metric[] = [];

  /** Only counts up. Its name ends in `_total`. */
  counter<Name extends string>(name: string, help: string, labels: readonly Name[]): Counter<Name> {
    return this.#add(new Counter(name, help, labels));
  }

  /** `bounds`: upper bounds, ascending, in the unit of the name. */
  histogram<Name extends string>(
    name: string,
    help: string,
    { labels, bounds }: { readonly labels: readonly Name[]; readonly bounds: readonly number[] },
  ): Histogram<Name> {
    return this.#add(new Histogram(name, help, labels, bounds));
  }

  /** For values that are counted or measured elsewhere: `read` returns them when the metrics are written. */
  reading<Name extends string>(name: string, help: string, { type = "gauge", labels, read }: Reading<Name>): void {
    this.#add({
      write: () =>
        headOf(name, help, type) +
        [...read()].map(([values, value]) => lineOf(name, labelText(labels, values), value)).join(""),
    });
  }

  write(): string {
    return this.#metrics.map((metric) => metric.write()).join("");
  }

  #add<Added extends Metric>(metric: Added): Added {
    this.#metrics.push(metric);
    return metric;
  }
}

export class Counter<Name extends string> implements Metric {
  readonly #series: Series<Name, Count>;

  constructor(
    private readonly name: string,
    private readonly help: string,
    labels: readonly Name[],
  ) {
    this.#series = new Series(labels, () => ({ count: 0 }));
  }

  /** The series of these labels. The caller keeps it and counts it up. */
  of(labels: Labels<Name>): Count {
    return this.#series.find(labels);
  }

  write(): string {
    const lines = this.#series.all().map(([text, { count }]) => lineOf(this.name, text, count));
    return headOf(this.name, this.help, "counter") + lines.join("");
  }
}

export interface Count {
  count: number;
}

export class Buckets {
  readonly counts: number[];
  sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    // one more, for values above all bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] ?? 0)) place += 1;
    counts[place] = (counts[place] ?? 0) + 1;
    this.sum += value;
  }
}

export class Histogram<Name extends string> implements Metric {
  readonly #series: Series<Name, Buckets>;

  constructor(
    private readonly name: string,
    private readonly help: string,
    labels: readonly Name[],
    private readonly bounds: readonly number[],
  ) {
    this.#series = new Series(labels, () => new Buckets(bounds));
  }

  /** The series of these labels. The caller keeps it and observes values. */
  of(labels: Labels<Name>): Buckets {
    return this.#series.find(labels);
  }

  write(): string {
    const lines = this.#series.all().map(([text, { counts, sum }]) => {
      let below = 0;
      const buckets = counts.map((count, place) => {
        below += count;
        const bound = this.bounds[place];
        const le = `le="${bound === undefined ? "+Inf" : bound}"`;
        return lineOf(`${this.name}_bucket`, text === "" ? le : `${text},${le}`, below);
      });
      return buckets.join("") + lineOf(`${this.name}_sum`, text, sum) + lineOf(`${this.name}_count`, text, below);
    });
    return headOf(this.name, this.help, "histogram") + lines.join("");
  }
}

/** The values of a metric, by their labels. */
class Series<Name extends string, Value> {
  readonly #byLabels = new Map<string, { readonly labels: Labels<Name>; readonly value: Value }>();

  constructor(
    private readonly names: readonly Name[],
    private readonly begin: () => Value,
  ) {}

  find(labels: Labels<Name>): Value {
    let key = "";
    for (const name of this.names) key += `${labels[name]}\0`;
    const found = this.#byLabels.get(key);
    if (found) return found.value;
    if (this.#byLabels.size >= SERIES_MAX) return this.#others();
    return this.#start(key, labels);
  }

  all(): (readonly [labels: string, value: Value])[] {
    return Array.from(this.#byLabels.values(), ({ labels, value }) => [labelText(this.names, labels), value] as const);
  }

  #others(): Value {
    const found = this.#byLabels.get(OTHERS);
    if (found) return found.value;
    const labels = Object.fromEntries(this.names.map((name) => [name, OTHERS])) as Record<Name, string>;
    return this.#start(OTHERS, labels);
  }

  #start(key: string, labels: Labels<Name>): Value {
    const value = this.begin();
    this.#byLabels.set(key, { labels: { ...labels }, value });
    return value;
  }
}

function headOf(name: string, help: string, type: "counter" | "gauge" | "histogram"): string {
  return `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
}

function lineOf(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${value}\n`;
}

function labelText<Name extends string>(names: readonly Name[], labels: Labels<Name>): string {
  return names
    .map((name) => `${name}="${labels[name].replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`)
    .join(",");
}
