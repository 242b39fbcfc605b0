// A store whose durable writes are told to those who count and trace them.

import type { Log } from "../core/log.ts";
import type { Store } from "../store/store.ts";
import type { Metrics } from "./metrics.ts";

interface Observing {
  /** It is counted for Prometheus as well. */
  readonly isMeasured: boolean;
  /** Of the program. */
  readonly version: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

interface Observed {
  readonly store: Store;
  readonly metrics: Metrics | undefined;
}

/** What is done with tasks is counted, for the store's own counters and where it is asked for for Prometheus. Throws usage. */
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
