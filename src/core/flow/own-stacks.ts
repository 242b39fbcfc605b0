// The text of an error's stack, as a flow sees it: only places in the user's files, without the folder of a file. So it
// is the same live and on replay, and on each machine. People are told the whole one.

import { isA } from "../record/stored-error.ts";
import { isOfProgram } from "../record/program-files.ts";
import { noteWholeStack } from "../record/whole-stacks.ts";

/** How the runtime writes stacks: a function, or nothing. */
export type StackForm = unknown;

const runtime = Error as { prepareStackTrace?: StackForm };

export function stackForm(): StackForm {
  return runtime.prepareStackTrace;
}

/** Returns the former one. */
export function setStackForm(form: StackForm): StackForm {
  const former = runtime.prepareStackTrace;
  runtime.prepareStackTrace = form;
  return former;
}

/** The form in a flow. The runtime calls it when a stack is read for the first time. It does not name a function always alike. */
export const OWN_FORM = (error: Error, frames: readonly NodeJS.CallSite[]): string => {
  const own = frames.flatMap((frame) => {
    const file = frame.getFileName()?.replace(/^file:\/\//, "") ?? "";
    const isOwn = file.startsWith("/") && !isOfProgram(file) && !file.startsWith(OURS);
    return isOwn ? { file, place: `${frame.getLineNumber()}:${frame.getColumnNumber()}` } : [];
  });
  const head = headOf(error);
  noteWholeStack(error, `${head}${own.map(({ file, place }) => `\n    at ${file}:${place}`).join("")}`);
  return `${head}${own.map(({ file, place }) => `\n    at ${shortOf(file)}:${place}`).join("")}`;
};

/** The files of this program, where it runs from its sources. */
const OURS = `${import.meta.dir.replace(/\/core\/flow$/, "")}/`;

/** `/x/flows/pay.ts` → `pay.ts`; `/x/node_modules/dayjs/dayjs.min.js` → `node_modules/dayjs/dayjs.min.js`. */
function shortOf(file: string): string {
  const inPackages = file.lastIndexOf("/node_modules/");
  return file.slice((inPackages === -1 ? file.lastIndexOf("/") : inPackages) + 1);
}

/** Any object may be given a stack. */
function headOf(error: unknown): string {
  return isA(error, Error) ? String(error) : "Error";
}
