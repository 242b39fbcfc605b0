// Prometheus' text format, read strictly: https://prometheus.io/docs/instrumenting/exposition_formats/

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly samples: Sample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/gy;

/** By the name of the metric. Throws where anything is not as the format says, or a rule of naming is broken. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: { readonly name: string; readonly family: Family } | undefined;
  let help: string | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, what, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (what === "HELP") {
      if (rest === "") throw new Error(`${name} says nothing of itself`);
      help = name;
    } else if (what === "TYPE") {
      if (help !== name) throw new Error(`TYPE of ${name} does not follow its HELP`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if ((rest === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${rest}`);
      current = { name, family: { type: rest, samples: [] } };
      families.set(name, current.family);
    } else {
      const sample = readSample(line);
      if (!current || !belongs(sample.name, current.name, current.family.type)) throw new Error(`stray: ${line}`);
      const key = line.slice(0, line.lastIndexOf(" "));
      if (seen.has(key)) throw new Error(`twice: ${key}`);
      seen.add(key);
      current.family.samples.push(sample);
    }
  }
  for (const [name, { type, samples }] of families) if (type === "histogram") checkHistogram(name, samples);
  return families;
}

/** The sum of all samples of that name with these labels. */
export function valueOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const all = [...readExposition(text).values()].flatMap(({ samples }) => samples);
  const found = all.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

function readSample(line: string): Sample {
  const [, name, labelText, value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  if (labelText !== undefined) {
    LABEL.lastIndex = 0;
    let end = 0;
    for (let found = LABEL.exec(labelText); found; found = LABEL.exec(labelText)) {
      labels[found[1] ?? ""] = (found[2] ?? "").replaceAll(/\\(.)/g, (_, each: string) => (each === "n" ? "\n" : each));
      end = LABEL.lastIndex;
      if (end === labelText.length) break;
    }
    if (end !== labelText.length) throw new Error(`labels of: ${line}`);
  }
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
  if (Number.isNaN(number)) throw new Error(`no number: ${line}`);
  return { name, labels, value: number };
}

function belongs(sample: string, metric: string, type: string): boolean {
  if (type !== "histogram") return sample === metric;
  return ["_bucket", "_sum", "_count"].some((suffix) => sample === metric + suffix);
}

/** Buckets rise, the last one is +Inf, and is the count. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le: _le, ...labels } }) => JSON.stringify(labels));
  for (const [labels, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le)));
    const counts = buckets.map(({ value }) => value);
    const isRising = (numbers: readonly number[]): boolean =>
      numbers.every((each, at) => at === 0 || each >= (numbers[at - 1] ?? 0));
    const count = all.find((sample) => sample.name === `${name}_count`)?.value;
    const isSound =
      isRising(bounds) && isRising(counts) && bounds.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count;
    if (!isSound || !all.some((sample) => sample.name === `${name}_sum`))
      throw new Error(`the histogram ${name} ${labels}`);
  }
}
