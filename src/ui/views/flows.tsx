// The flows of this server, and what is paused.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Pause } from "../../core/api/pauses.ts";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import { get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { age } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { Behind } from "../parts/behind.tsx";
import { Damaged } from "../parts/damaged.tsx";
import { Failure } from "../parts/failure.tsx";
import { Order } from "../parts/order.tsx";
import { hrefOf } from "../router.ts";
import { useBy } from "../session.ts";

export function Flows(): ComponentChild {
  const now = useNow();
  const flows = useLive("flows", async (signal) => (await get<readonly FlowDescription[]>("/flows", signal)).body);
  const pauses = useLive("pauses", async (signal) => (await get<readonly Pause[]>("/pauses", signal)).body);
  const pausedFlows = new Set(pauses.data?.flatMap(({ scope, name }) => (scope === "flow" ? [name] : [])));
  return (
    <>
      <h1>Flows</h1>
      <Failure error={flows.error ?? pauses.error} />
      <Damaged of={pauses.data} />
      {pauses.data?.map((pause) => (
        <div key={`${pause.scope} ${pause.name}`} class="reason person">
          <strong>{pause.scope === "all" ? "Everything" : `The ${pause.scope} ${pause.name}`} is paused</strong> by{" "}
          {pause.by}, {age(pause.since, now)}
          {pause.reason !== null && <>: {pause.reason}</>}
          <Order
            title="Unpause"
            path="/pauses/end"
            json={JSON.stringify(targetOf(pause))}
            command={commandLine("unpause", ...wordsOf(pause))}
            onDone={pauses.refresh}
          />
        </div>
      ))}
      <table>
        <thead>
          <tr>
            <th>Flow</th>
            <th class="wide">What it does</th>
            <th>Hold back</th>
          </tr>
        </thead>
        <tbody>
          {flows.data?.map((flow) => (
            <tr key={flow.name}>
              <td>
                <a href={hrefOf(`/tasks?flow=${encodeURIComponent(flow.name)}`)}>{flow.name}</a>{" "}
                <a class="creates" href={hrefOf(`/start/${encodeURIComponent(flow.name)}`)}>
                  start
                </a>
              </td>
              <td class="wide">{flow.description}</td>
              <td>{pausedFlows.has(flow.name) ? "paused" : <PauseFlow flow={flow.name} onDone={pauses.refresh} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function PauseFlow({ flow, onDone }: { readonly flow: string; readonly onDone: () => void }): ComponentChild {
  const [reason, setReason] = useState("");
  const by = useBy();
  const why = reason.trim() === "" ? [] : ["--reason", reason];
  return (
    <Behind title="Pause…" label={`Pause ${flow}`} look="small hands">
      {() => (
        <>
          <label>
            Reason
            <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
          <Order
            title="Pause"
            path="/pauses"
            json={JSON.stringify({ flow, ...(reason.trim() !== "" && { reason }), by })}
            question={`Start no step of ${flow} until it is unpaused?`}
            command={commandLine("pause", flow, ...why)}
            onDone={onDone}
          />
        </>
      )}
    </Behind>
  );
}

function targetOf({ scope, name }: Pause): object {
  return scope === "all" ? { all: true } : { [scope]: name };
}

function wordsOf({ scope, name }: Pause): readonly string[] {
  if (scope === "all") return ["--all"];
  return scope === "flow" ? [name ?? ""] : ["--tool", name ?? ""];
}
