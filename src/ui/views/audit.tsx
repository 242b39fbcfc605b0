// Who has changed what, when and why, and whether the log is intact.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { AuditPage, AuditVerdict } from "../../core/api/audit.ts";
import { AUDIT_ACTIONS, WAYS } from "../../core/record/audit.ts";
import { ApiError, get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { inBackground } from "../in-background.ts";
import { useLive, useNow } from "../live.ts";
import { Entries } from "../parts/audit-entries.tsx";
import { Copy } from "../parts/copy.tsx";
import { Damaged } from "../parts/damaged.tsx";
import { Failure } from "../parts/failure.tsx";
import { go, hrefOf } from "../router.ts";

const PAGE = 50;

const TEXTS = [
  { name: "who", title: "Who" },
  { name: "action", title: "Action" },
  { name: "target", title: "Target" },
  { name: "since", title: "Since (2h, 7d)" },
] as const;

const FILTERS: readonly string[] = [...TEXTS.map(({ name }) => name), "way"];

export function Audit({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const now = useNow();
  const asked = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name)));
  const before = query.get("before");
  const page = new URLSearchParams(asked);
  page.set("limit", String(PAGE));
  if (before !== null) page.set("before", before);
  const path = `/audit-log?${page.toString()}`;
  // old entries do not change, so only the newest page is reloaded
  const { data, error } = useLive(
    path,
    async (signal) => (await get<AuditPage>(path, signal)).body,
    () => before === null,
  );
  const flags = [...asked].flatMap(([name, value]) => [`--${name}`, value]);
  const command = commandLine("audit-log", ...flags);
  const hrefOfPage = (next: string | undefined): string => {
    const to = new URLSearchParams(asked);
    if (next !== undefined) to.set("before", next);
    return hrefOf(`/audit${to.size === 0 ? "" : `?${to.toString()}`}`);
  };
  return (
    <>
      <h1>Audit log</h1>
      <Verify />
      <Filters key={asked.toString()} query={asked} />
      <Failure error={error} />
      <Damaged of={data?.entries} />
      {data?.entries.length === 0 && <p class="hint">No entry matches.</p>}
      {data && data.entries.length > 0 && <Entries entries={data.entries} now={now} />}
      <p class="pages">
        {before !== null && <a href={hrefOfPage(undefined)}>The newest</a>}{" "}
        {data?.next !== undefined && <a href={hrefOfPage(String(data.next))}>Older entries</a>}
      </p>
      <p>
        <code>{command}</code> <Copy text={command} what="the command" />
      </p>
    </>
  );
}

function Filters({ query }: { readonly query: URLSearchParams }): ComponentChild {
  return (
    <form
      class="filters"
      aria-label="Filters"
      onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const to = new URLSearchParams();
        for (const [name, value] of given)
          if (typeof value === "string" && value.trim() !== "") to.set(name, value.trim());
        go(`/audit${to.size === 0 ? "" : `?${to.toString()}`}`);
      }}
    >
      {TEXTS.map(({ name, title }) => (
        <label key={name}>
          {title}
          <input
            name={name}
            defaultValue={query.get(name) ?? ""}
            list={name === "action" ? "audit-actions" : undefined}
          />
        </label>
      ))}
      <datalist id="audit-actions">
        {AUDIT_ACTIONS.map((action) => (
          <option key={action} value={action} />
        ))}
      </datalist>
      <label>
        Way
        <select name="way" defaultValue={query.get("way") ?? ""}>
          <option value="">any</option>
          {WAYS.map((way) => (
            <option key={way} value={way} selected={query.get("way") === way}>
              {way}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">Filter</button>
    </form>
  );
}

function Verify(): ComponentChild {
  const [verdict, setVerdict] = useState<AuditVerdict>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const verify = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    try {
      setVerdict((await get<AuditVerdict>("/audit-log/verify")).body);
      setError(undefined);
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="verify" aria-label="Verify">
      <button type="button" aria-disabled={isBusy} onClick={inBackground(verify)}>
        {isBusy ? "Verifying…" : "Verify"}
      </button>{" "}
      <span role="status">
        {verdict?.removed && (
          <>
            Entries up to {verdict.removed.through.toLocaleString()} were removed as the setting says; entry{" "}
            {verdict.removed.entry} tells.{" "}
          </>
        )}
        {verdict?.intact === true && (
          <>
            All {verdict.entries.toLocaleString()} entries are as written. The last one is {verdict.head.seq},{" "}
            <code>{verdict.head.hash}</code>
          </>
        )}
        {verdict?.intact === false && <strong>The audit log is not as it was written:</strong>}
      </span>
      {verdict?.intact === false && (
        <ul>
          {verdict.faults.map(({ message }) => (
            <li key={message}>{message}</li>
          ))}
        </ul>
      )}
      <Failure error={error} />
    </section>
  );
}
