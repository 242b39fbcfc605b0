// The metrics that the program has, and those that documents, alert rules and the Grafana dashboard name.

import { expect, test } from "bun:test";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { readExposition } from "../support/exposition.ts";
import { readText, tableOf } from "./documents.ts";

const store = await openSqliteStore({ path: ":memory:" });
const metrics = new Metrics({ version: "1", dialect: "sqlite", store });
metrics.noteTraces({ sent: 0, failed: 0, dropped: 0 });
const HAS = [...readExposition(await metrics.write()).keys()];
await store.close();

test("docs/metrics.md lists the metrics", async () => {
  const sections = (await readText("docs/metrics.md")).split(/^## /m);
  const rows = sections.filter((section) => section.includes("\n| metric")).flatMap((each) => tableOf(each, "metric"));
  const told = rows.flatMap(([names = ""]) => [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));
  expect(told.toSorted()).toEqual(HAS.toSorted());
});

test.each(["ops/alerts.yaml", "ops/grafana-dashboard.json"])("%s names no metric that there is not", async (path) => {
  const text = await readText(path);
  const named = [...text.matchAll(/\btaskonaut_\w+/g)].map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ""));
  expect(named.length).toBeGreaterThan(5);
  expect([...new Set(named)].filter((name) => !HAS.includes(name))).toEqual([]);
});

test("the alert rules are YAML, and the dashboard is JSON, with an expression in each", async () => {
  const { groups } = Bun.YAML.parse(await readText("ops/alerts.yaml")) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  };
  const { panels } = JSON.parse(await readText("ops/grafana-dashboard.json")) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  const expressions = [...groups.flatMap(({ rules }) => rules), ...panels.flatMap(({ targets }) => targets)];
  expect(expressions.filter(({ expr }) => expr.trim() === "")).toEqual([]);
});
