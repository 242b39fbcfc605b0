import type { ComponentChild } from "preact";
import type { AuditPage } from "../../core/api/audit.ts";
import { get } from "../api.ts";
import { useLive, useNow } from "../live.ts";
import { may } from "../session.ts";
import { Entries } from "./audit-entries.tsx";

/** Actions by people on the task, for users who may read the audit log. A new `version` reloads them. */
export function TaskAudit({ id, version }: { readonly id: string; readonly version: string }): ComponentChild {
  return may("administer") ? <Done id={id} version={version} /> : null;
}

function Done({ id, version }: { readonly id: string; readonly version: string }): ComponentChild {
  const now = useNow();
  const { data } = useLive(
    `audit ${id} ${version}`,
    async (signal) => (await get<AuditPage>(`/audit-log?target=${id}&limit=50`, signal)).body,
    () => false,
  );
  if (!data || data.entries.length === 0) return null;
  return (
    <section aria-label="Who has acted on it">
      <h2>Who has acted on it</h2>
      <Entries entries={data.entries} now={now} />
    </section>
  );
}
