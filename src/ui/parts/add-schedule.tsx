import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Schedule } from "../../core/api/schedules.ts";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import { get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { useLive } from "../live.ts";
import { go } from "../router.ts";
import { Failure } from "./failure.tsx";
import { Order } from "./order.tsx";
import { SchemaForm } from "./schema-form.tsx";

const OVERLAPS = ["skip", "queue", "all", "cancel-running"];

/** Adds a schedule, besides those in flow files. */
export function AddSchedule(): ComponentChild {
  const flows = useLive(
    "flows",
    async (signal) => (await get<readonly FlowDescription[]>("/flows", signal)).body,
    () => false,
  );
  const [fields, setFields] = useState<Readonly<Record<string, string>>>({});
  const [input, setInput] = useState<string | undefined>("{}");
  const flow = flows.data?.find(({ name }) => name === fields["flow"]);
  const { name = "" } = fields;
  // the flow's field is its name, the other fields are options of the command
  const given = ["flow", "cron", "every", "time-zone", "overlap"].flatMap((field) => {
    const text = fields[field]?.trim() ?? "";
    return text === "" ? [] : [{ field, text }];
  });
  const members = given.map(({ field, text }) => `${JSON.stringify(field.replace("-", "_"))}: ${JSON.stringify(text)}`);
  const json = `{${[`"name": ${JSON.stringify(name.trim())}`, ...members, `"input": ${input ?? "{}"}`].join(", ")}}`;
  const flags = given.flatMap(({ field, text }) => [`--${field}`, text]);
  const field = (key: string, label: string, hint: string): ComponentChild => (
    <label>
      {label}
      <input
        value={fields[key] ?? ""}
        placeholder={hint}
        onInput={({ currentTarget }) => setFields((before) => ({ ...before, [key]: currentTarget.value }))}
      />
    </label>
  );
  const choice = (key: string, label: string, choices: readonly string[], none: string): ComponentChild => (
    <label>
      {label}
      <select
        value={fields[key] ?? ""}
        onChange={({ currentTarget }) => setFields((before) => ({ ...before, [key]: currentTarget.value }))}
      >
        <option value="">{none}</option>
        {choices.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
  return (
    <details class="card hands">
      <summary>Add a schedule</summary>
      <Failure error={flows.error} />
      <div class="row">
        {field("name", "Name", "weekly_report")}
        {choice("flow", "Flow", flows.data?.map((each) => each.name) ?? [], "choose…")}
        {field("cron", "Cron", "30 2 * * *")}
        {field("every", "or every", "15m")}
        {field("time-zone", "Time zone", "UTC")}
        {choice("overlap", "While one still runs", OVERLAPS, "skip (default)")}
      </div>
      {flow && <SchemaForm key={flow.name} schema={flow.input_schema} name="input" onChange={setInput} />}
      <Order
        title="Add"
        path="/schedules"
        json={json}
        command={commandLine("schedule", "add", name.trim(), ...flags, "--input", input ?? "{}")}
        isPrimary
        onDone={(made) => go(`/schedules/${encodeURIComponent((made as Schedule).name)}`)}
      />
    </details>
  );
}
