// Every hint that the program can print, by name. A draft has a sentence and the words of a command. `hint.ts` adds the
// options that say where tasks and flows are.

import type { PauseTarget } from "../core/api/pauses.ts";

export interface HintDraft {
  readonly text?: string;
  readonly command?:
    | {
        /** `bare`: it is not about the database, the server and the flows of this call. */
        readonly kind: "command" | "bare";
        readonly words: readonly string[];
      }
    /** What was typed, once more, with more options. */
    | { readonly kind: "again"; readonly more: readonly string[] };
}

interface OfTask {
  readonly id: string;
}

export const HINT_LIST = {
  helpOfProgram: () => bare("see the commands", ["--help"]),
  helpOfCommand: ({ command }: { readonly command: string }) =>
    bare("see its arguments and options", [command, "--help"]),
  helpOfFlow: ({ command, flow }: { readonly command: string; readonly flow: string }) =>
    run("see what the flow takes", [command, flow, "--help"]),
  listFlows: () => run("list the flows that are loaded", ["flows"]),
  listTasks: () => run("list the tasks of this database", ["get-tasks"]),
  listTasksOfServer: () => run("list the tasks of this server", ["get-tasks"]),
  showTask: ({ id }: OfTask) => run("see how far it is", ["get-task", id]),
  showOther: ({ id }: OfTask) => run("see the task that has the key", ["get-task", id]),
  forkTask: ({ id }: OfTask) =>
    run("see what a new task from its record would do again", ["fork-task", id, "--from", "1", "--dry-run"]),
  goOn: ({ id }: OfTask) => run("continue from there", ["run-task", id]),
  runTask: ({ id }: OfTask) => run(undefined, ["run-task", id]),
  followTask: ({ id }: OfTask) => run(undefined, ["run-task", id, "--wait"]),
  followAgain: ({ id }: OfTask) => run("follow the task again", ["run-task", id, "--wait"]),
  signalTask: ({ id, name, payload }: OfTask & { readonly name: string; readonly payload: string | undefined }) =>
    run(undefined, ["signal-task", id, name, ...(payload === undefined ? [] : ["--payload", payload])]),
  showFlow: ({ flow, signal }: { readonly flow: string; readonly signal: string }) =>
    run(`see what signal ${signal} takes, to send it with signal-task`, ["flows", flow]),
  resumeTask: ({ id }: OfTask) => run("resume the task when the reason is gone", ["resume-task", id]),
  cancelByForce: ({ id }: OfTask) =>
    run("or end it without what its flow would clean up", ["cancel-task", id, "--force"]),
  retryTask: ({ id }: OfTask) => run(undefined, ["retry-task", id]),
  retryParent: ({ id }: OfTask) => run("when this task has ended, retry its parent", ["retry-task", id]),
  enqueue: () => again("let a worker run it", ["--mode", "enqueue"]),
  listTokens: () => run("list the tokens that there are", ["tokens"]),
  listPauses: () => run("see what is paused", ["pauses"]),
  unpause: ({ target }: { readonly target: PauseTarget }) =>
    run("continue it when the reason is gone", ["unpause", ...wordsOf(target)]),
  work: () => run(undefined, ["work"]),
  startWorkerOfServer: () => ({
    text: "A worker beside the server's database takes it: `run-app` has one unless --no-worker was given.",
  }),
  resolveByRetry: ({ id, step }: OfTask & OfStep) =>
    run("if its effect did not happen, call the tool again", ["resolve", id, ...stepOf(step), "--retry"]),
  resolveByFailing: ({ id, step }: OfTask & OfStep) =>
    run("or let the step fail", ["resolve", id, ...stepOf(step), "--fail"]),
  resolveByOutput: ({ step }: OfStep) => ({
    text: `If its effect happened, give its result as JSON, in place of ${step === undefined ? "" : `--step ${step} `}--retry: --output <json>.`,
  }),
  listSchedules: () => run("list the schedules that there are", ["schedules"]),
  showSchedule: ({ name }: OfSchedule) => run("see the one that has the name", ["schedule", "show", name]),
  pauseSchedule: ({ name }: OfSchedule) => run("pause it", ["schedule", "pause", name]),
  migrate: () => run("bring the database up to date", ["migrate"]),
  serve: ({ port }: { readonly port: string }) => bare("start a server there", ["run-app", "--port", port]),
  setToken: () => ({ text: "Set TASKONAUT_API_TOKEN to the token that the server was started with." }),
  setUrlVariable: ({ variable, flag }: { readonly variable: string; readonly flag: string }) => ({
    text: `A hint repeats no password. Set ${variable} to the URL that was given with ${flag} before you paste one.`,
  }),
  makeTask: () => run("run a flow, which makes the database", ["run-flow"]),
  makeFirstTask: () => run("make one", ["run-flow"]),
  loadFlowsOf: ({ file }: { readonly file: string }) =>
    again("load the flow from the file that the task came from", ["--flows", file]),
  flowFileGone: ({ file }: { readonly file: string }) => ({
    text: `The task's flow came from ${file}, which is not there any more. Name the file that has it now with --flows.`,
  }),
  showFault: () => again("this is a fault of taskonaut; see where", ["--log-level", "debug"]),
  runExample: ({ command, flow, fields }: OfExample & { readonly command: string }) =>
    run(undefined, [command, flow, ...fields]),
  tryFlows: ({ folder }: OfFolder) => bare(undefined, ["flows", "--flows", folder]),
  tryValidate: ({ folder, flow, fields }: OfFolder & OfExample) =>
    bare(undefined, ["validate", flow, ...fields, "--flows", folder]),
  tryTests: ({ folder }: OfFolder) => bare(undefined, ["test", folder]),
  tryFlow: ({ folder, flow, fields }: OfFolder & OfExample) =>
    bare(undefined, ["run-flow", flow, ...fields, "--flows", folder]),
} satisfies Readonly<Record<string, (...given: never[]) => HintDraft>>;

export type HintId = keyof typeof HINT_LIST;

interface OfSchedule {
  readonly name: string;
}

interface OfStep {
  /** Undefined where just one step is in doubt. */
  readonly step: number | undefined;
}

interface OfFolder {
  readonly folder: string;
}

interface OfExample {
  readonly flow: string;
  /** `--sku`, `A1`, … */
  readonly fields: readonly string[];
}

function run(text: string | undefined, words: readonly string[]): HintDraft {
  return { ...(text !== undefined && { text }), command: { kind: "command", words } };
}

function bare(text: string | undefined, words: readonly string[]): HintDraft {
  return { ...(text !== undefined && { text }), command: { kind: "bare", words } };
}

function again(text: string, more: readonly string[]): HintDraft {
  return { text, command: { kind: "again", more } };
}

function wordsOf(target: PauseTarget): readonly string[] {
  if (target.scope === "all") return ["--all"];
  return target.scope === "flow" ? [target.name] : ["--tool", target.name];
}

function stepOf(step: number | undefined): readonly string[] {
  return step === undefined ? [] : ["--step", String(step)];
}
