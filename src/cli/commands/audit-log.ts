import type { AuditEntry, AuditVerdict } from "../../core/api/audit.ts";
import { AUDIT_FILTERS, readAuditFilter } from "../../core/api/audit-text.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { suggest } from "../../core/nearest.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, toJson } from "../print.ts";
import { type Column, drawTable } from "../table.ts";
import { findTaskId } from "../task-id.ts";
import { throwIfDamaged } from "../throw-if-damaged.ts";
import { describeAge, showTime } from "../times.ts";
import { readCount, usageError } from "../usage.ts";

const ACTIONS = ["list", "verify"] as const;

/** How many entries a person sees by default. */
const SHOWN_DEFAULT = 50;
const LIMIT_MAX = 1_000_000_000;
const PAGE = 500;

/** The log is not as it was written. */
const EXIT_BROKEN = 1;

export const auditLog: Command = {
  name: "audit-log",
  summary: "Show who has changed what, when and why, or verify that nothing was altered",
  about:
    "Every command and request that changes something is written down, in the same transaction. Each entry is chained to the one before by a hash: verify names entries that were changed, moved or removed. A terminal gets the newest; a pipe gets all of them as JSON.",
  args: [{ name: "action", required: false }],
  options: [
    ...AUDIT_FILTERS,
    { name: "task", value: "id", summary: "What was done to this task: an id, the beginning of one, or @last" },
    { name: "limit", value: "N", summary: `At most N entries (default: all; on a terminal ${SHOWN_DEFAULT})` },
  ],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["audit-log --since 7d", "audit-log --action cancel-task --way cli", "audit-log verify"],

  async run(call) {
    const [word = "list"] = call.args;
    const action = ACTIONS.find((each) => each === word);
    if (action === undefined) {
      const message = `audit-log has list and verify, and no ${JSON.stringify(word)}${suggest(word, ACTIONS)}`;
      throw usageError([{ path: "", message }]);
    }
    const { flags } = call;
    if (action === "verify") {
      const stray = auditLog.options.filter(({ name }) => flags.has(name));
      if (stray.length > 0) {
        throw usageError(
          stray.map(({ name }) => ({ path: `--${name}`, message: "means nothing to audit-log verify" })),
        );
      }
      return withTaskonaut(call, async (taskonaut) => tellVerdict(call, await taskonaut.audit.verify()));
    }
    return withTaskonaut(call, async (taskonaut) => {
      await list(call, taskonaut);
      return 0;
    });
  },
};

async function list(call: Call, taskonaut: Taskonaut): Promise<void> {
  const { flags, io, look } = call;
  const { filter: read, errors } = readAuditFilter(
    (name) => flags.get(name),
    look.now(),
    (name) => `--${name}`,
  );
  const task = flags.get("task");
  if (task !== undefined && flags.has("target")) errors.push({ path: "--task", message: "contradicts --target" });
  if (errors.length > 0) throw usageError(errors);
  const target = task === undefined ? read.target : await findTaskId(taskonaut, task, look.now);
  const isTable = look.style === "readable";
  const limit = readCount(flags, "limit", { min: 1, max: LIMIT_MAX });
  let left = limit ?? (isTable ? SHOWN_DEFAULT : Number.POSITIVE_INFINITY);
  const all: AuditEntry[] = [];
  let before: number | undefined;
  do {
    const request = { filter: { ...read, target }, limit: Math.min(left, PAGE) };
    const page = await taskonaut.audit.list({ ...request, ...(before !== undefined && { before }) });
    all.push(...page.entries);
    left -= page.entries.length;
    before = page.next;
  } while (before !== undefined && left > 0);
  if (!isTable) await io.stdout.write(listToJson(all, look));
  else if (all.length === 0) await io.stdout.write("No entry matches.\n");
  else {
    await io.stdout.write(`${drawTable(columnsOf(look.now()), all, look).join("\n")}\n`);
    if (before !== undefined) await io.stderr.write(`The newest ${all.length}; --limit N shows more.\n`);
  }
  throwIfDamaged(
    "entries",
    all.map(({ seq, ...entry }) => ({ ...entry, name: `entry ${seq}` })),
  );
}

async function tellVerdict({ io, look }: Call, verdict: AuditVerdict): Promise<number> {
  const { intact, entries, removed, head, faults } = verdict;
  if (look.style !== "readable") await io.stdout.write(`${toJson(verdict, look)}\n`);
  else if (intact) {
    const what = entries === 1 ? "The one entry is" : `All ${entries.toLocaleString("en")} entries are`;
    const last = `The last one is ${head.seq}:\n${head.hash}\n`;
    await io.stdout.write(tellRemoved(removed));
    await io.stdout.write(entries === 0 ? "There is no entry yet.\n" : `${what} as written.\n${last}`);
  } else {
    const lines = faults.map(({ message }) => `- ${message}`);
    await io.stdout.write(`${tellRemoved(removed)}The audit log is not as it was written:\n${lines.join("\n")}\n`);
  }
  return intact ? 0 : EXIT_BROKEN;
}

/** Removed because of the setting, not by a person. */
function tellRemoved(removed: AuditVerdict["removed"]): string {
  if (removed === null) return "";
  const which = removed.through === 1 ? "Entry 1 was" : `Entries 1 to ${removed.through.toLocaleString("en")} were`;
  return `${which} removed as the setting says (from before ${showTime(removed.until)}; entry ${removed.entry} tells).\n`;
}

function columnsOf(now: number): readonly Column<AuditEntry>[] {
  return [
    { head: "ENTRY", right: true, goes: 2, show: ({ seq }) => ({ text: String(seq) }) },
    { head: "WHEN", show: ({ at }) => ({ text: describeAge(at, now) }) },
    { head: "WHO", least: 6, most: 40, show: ({ who }, width) => ({ text: showText(who, width), color: "bold" }) },
    { head: "ROLE", goes: 4, show: ({ role }) => ({ text: role }) },
    { head: "WAY", goes: 3, show: ({ way }) => ({ text: way }) },
    { head: "ACTION", show: ({ action }, width) => ({ text: showText(action, width) }) },
    {
      head: "TARGET",
      least: 8,
      most: 45,
      show: ({ target: { kind, id } }, width) => ({
        text: showText(id === "" ? "everything" : kind === "log" ? "the audit log" : `${kind} ${id}`, width),
      }),
    },
    { head: "REASON", least: 6, goes: 1, show: ({ reason }, width) => ({ text: showText(reason ?? "", width) }) },
  ];
}
