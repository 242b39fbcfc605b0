// Says what to do about an error, if its message does not.

import { existsSync } from "node:fs";
import type { ErrorCode, TaskonautError } from "../core/errors.ts";
import type { PauseTarget } from "../core/api/pauses.ts";
import type { Hint, Hints } from "./hint.ts";

/** The call that ended with the error. */
export interface FailedCall {
  /** Undefined where no command was found in what was typed. */
  readonly command: string | undefined;
  /** The flow that was named, where the command takes fields. */
  readonly flow: string | undefined;
  /** The id that it was about, where it names one. */
  readonly id: string | undefined;
  readonly follows: boolean;
  readonly hints: Hints;
}

type Find = (about: FailedCall & { readonly details: Readonly<Record<string, unknown>> }) => readonly Hint[];

const BY_CODE: Partial<Record<ErrorCode, Find>> = {
  usage: help,
  input_invalid: (about) => {
    const { id, details, hints } = about;
    const { signal: name, payload } = details;
    const isSignal = id !== undefined && typeof name === "string" && typeof payload === "string";
    return isSignal ? hints.give("signalTask", { id, name, payload }) : help(about);
  },
  flow_not_found: ({ hints }) => (hints.isRemote ? [] : hints.give("listFlows")),
  task_not_found: listTasks,
  task_id_invalid: listTasks,
  max_steps_exhausted: ({ id, hints }) => (id === undefined ? [] : hints.give("goOn", { id })),
  task_not_in_doubt: ({ id, hints }) => (id === undefined ? [] : hints.give("showTask", { id })),
  task_not_retryable: ({ id, hints }) => (id === undefined ? [] : hints.give("forkTask", { id })),
  task_not_forkable: ({ id, hints }) => (id === undefined ? [] : hints.give("showTask", { id })),
  task_busy: ({ id, hints }) => (id === undefined ? [] : hints.give("showTask", { id })),
  flow_paused: ({ details: { scope, name }, hints }) => {
    const target = targetOf(scope, name);
    return target ? hints.give("unpause", { target }) : hints.give("listPauses");
  },
  token_not_found: ({ hints }) => hints.give("listTokens"),
  pause_not_found: ({ hints }) => hints.give("listPauses"),
  task_parked: ({ id, hints }) =>
    id === undefined ? [] : [...hints.give("resumeTask", { id }), ...hints.give("cancelByForce", { id })],
  unauthorized: ({ hints }) => hints.give("setToken"),
  forbidden: ({ details: { may_enqueue: mayEnqueue }, hints }) =>
    mayEnqueue === true && !RUN_WORDS.some((name) => hints.isTyped(name)) ? hints.give("enqueue") : [],
  flow_not_loaded: ({ details: { file }, hints }) => {
    if (typeof file !== "string" || hints.isRemote) return [];
    return existsSync(file) ? hints.give("loadFlowsOf", { file }) : hints.give("flowFileGone", { file });
  },
  idempotency_key_reused: ({ details: { id }, hints }) =>
    typeof id === "string" ? hints.give("showOther", { id }) : [],
  schedule_not_found: ({ details: { unseen }, hints }) => hints.give(unseen === true ? "work" : "listSchedules"),
  schedule_exists: ({ details: { name }, hints }) =>
    typeof name === "string" ? hints.give("showSchedule", { name }) : [],
  schedule_of_flow: ({ details: { name }, hints }) =>
    typeof name === "string" ? hints.give("pauseSchedule", { name }) : [],
  database_behind: ({ hints }) => hints.give("migrate"),
  database_not_found: ({ command, hints }) => (command === "backup" ? [] : hints.give("makeTask")),
  api_unreachable: ({ hints }) => {
    const { hostname, port } = URL.parse(hints.apiBaseUrl ?? "") ?? {};
    return hostname !== undefined && LOOPBACK.test(hostname) ? hints.give("serve", { port: port || "80" }) : [];
  },
  cancelled: ({ command, id, follows, hints }) => {
    if (id === undefined || command === "get-task") return [];
    if (hints.isRemote) return hints.give("showTask", { id });
    return follows ? hints.give("followAgain", { id }) : hints.give("goOn", { id });
  },
};

/** Options that contradict `--mode enqueue`. */
const RUN_WORDS = ["mode", "wait", "max-steps"];

/** Of an error from a server only the message is known. */
function targetOf(scope: unknown, name: unknown): PauseTarget | undefined {
  if (scope === "all") return { scope };
  return (scope === "flow" || scope === "tool") && typeof name === "string" ? { scope, name } : undefined;
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** A hint that must be followed before the others work comes first. */
export function hintsFor({ code, details }: TaskonautError, call: FailedCall): readonly Hint[] {
  const id = details["task_id"] ?? details["id"] ?? call.id;
  const found = BY_CODE[code]?.({ ...call, id: typeof id === "string" ? id : undefined, details }) ?? [];
  return [...call.hints.before(found), ...found];
}

function help({ command, flow, hints }: FailedCall): readonly Hint[] {
  if (command !== undefined && flow !== undefined) return hints.give("helpOfFlow", { command, flow });
  return command === undefined ? hints.give("helpOfProgram") : hints.give("helpOfCommand", { command });
}

function listTasks({ hints }: FailedCall): readonly Hint[] {
  return hints.give(hints.isRemote ? "listTasksOfServer" : "listTasks");
}
