import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { describeRate, type Limit } from "../../core/api/limits.ts";
import { commandLine } from "../command-line.ts";
import { useBy } from "../session.ts";
import { Order } from "./order.tsx";

interface Props {
  readonly limit: Limit;
  /** Both a flow and a tool have a limit with this name. */
  readonly isAmbiguous: boolean;
  readonly onDone: () => void;
}

/** Changes the numbers of a limit in use. An empty field changes nothing. */
export function SetLimit({ limit, isAmbiguous, onDone }: Props): ComponentChild {
  const { name, kind, max, keyed } = limit;
  const [running, setRunning] = useState("");
  const [perKey, setPerKey] = useState("");
  const [rate, setRate] = useState("");
  const [reason, setReason] = useState("");
  const flags: string[] = [];
  const body: Record<string, unknown> = { kind, by: useBy() };
  const add = (flag: string, field: string, text: string, value: unknown): void => {
    if (text.trim() === "") return;
    flags.push(flag, text.trim());
    body[field] = value;
  };
  add("--running", "running", running, numberOf(running));
  add("--per-key", "running_per_key", perKey, numberOf(perKey));
  add("--rate", "rate", rate, rateOf(rate));
  const isEmpty = flags.length === 0;
  if (reason.trim() !== "") body["reason"] = reason;
  const why = reason.trim() === "" ? [] : ["--reason", reason];
  const which = isAmbiguous ? ["--kind", kind] : [];
  return (
    <fieldset class="card hands">
      <legend>Other numbers for {name}</legend>
      <p class="hint">
        A number, <code>none</code> (no limit) or <code>code</code> (what the code says). What is left empty stays as it
        is.
      </p>
      <div class="row">
        <Input label="At once" value={running} hint={told(max.running)} onInput={setRunning} />
        {keyed && (
          <Input label="Of a key at once" value={perKey} hint={told(max.running_per_key)} onInput={setPerKey} />
        )}
        <Input
          label="Rate"
          value={rate}
          hint={max.rate === null ? "100/1m" : describeRate(max.rate).replace(" in ", "/")}
          onInput={setRate}
        />
        <Input label="Reason" value={reason} hint="a larger plan" onInput={setReason} />
      </div>
      {!isEmpty && (
        <Order
          title="Set"
          path={`/limits/${encodeURIComponent(name)}`}
          json={JSON.stringify(body)}
          command={commandLine("limits", "set", name, ...flags, ...why, ...which)}
          isPrimary
          onDone={onDone}
        />
      )}
    </fieldset>
  );
}

interface InputProps {
  readonly label: string;
  readonly value: string;
  readonly hint: string;
  readonly onInput: (text: string) => void;
}

function Input({ label, value, hint, onInput }: InputProps): ComponentChild {
  return (
    <label>
      {label}
      <input size={12} value={value} placeholder={hint} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

function told(value: number | null): string {
  return value === null ? "none" : String(value);
}

/** Any other text goes to the server as it was typed, and the server says what is wrong with it. */
function numberOf(typed: string): unknown {
  const text = typed.trim();
  if (text === "code") return null;
  return /^\d+$/.test(text) ? Number(text) : text;
}

function rateOf(typed: string): unknown {
  const [count = "", per = ""] = typed.trim().split("/");
  return /^\d+$/.test(count) && per !== "" ? { count: Number(count), per } : numberOf(typed);
}
