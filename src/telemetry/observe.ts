// A store that reports its durable writes to counters and traces.

import type { Log } from "../core/log.ts";
import type { Store } from "../store/store.ts";
import type { Metrics } from "./metrics.ts";

interface Observing {
  /** Count for Prometheus as well. */
  readonly isMeasured: boolean;
  /** The program's version. */
  readonly version: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

interface Observed {
  readonly store: Store;
  readonly metrics: Metrics | undefined;
}

/** Counts changes of tasks, for the store's own counters and, if requested, for Prometheus. Throws usage. */
export async function observe(
  store: Store,
  { isMeasured, version = "unknown", env, log }: Observing,
): Promise<Observed> {
  const isTraced = Object.keys(env).some((name) => name.startsWith("OTEL_EXPORTER_OTLP_") && name.endsWith("ENDPOINT"));
  const [{ CounterWriter }, { observedStore }, metrics, traces] = await Promise.all([
    import("./counter-writer.ts"),
    import("./observed-store.ts"),
    isMeasured
      ? import("./metrics.ts").then(({ Metrics }) => new Metrics({ version, dialect: store.dialect, store }))
      : undefined,
    isTraced
      ? import("./traces/open-traces.ts").then(({ openTraces }) => openTraces({ env, log, version }))
      : undefined,
  ]);
  const counters = new CounterWriter({ store, writer: Bun.randomUUIDv7() });
  if (traces) metrics?.noteTraces(traces.counts);
  const observers = [counters, metrics, traces].filter((observer) => observer !== undefined);
  const observed = observedStore(store, observers);
  const close = async (): Promise<void> => {
    await Promise.all([counters.close(), traces?.close()]);
    await store.close();
  };
  return { metrics, store: { ...observed, close } };
}
