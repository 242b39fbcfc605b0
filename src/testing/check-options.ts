// The options of a run that nobody reads, or that are of another kind than what is read: a fake under a wrong word would
// let the real tool run.

import { Faults, isObject, type Options, tellGiven } from "../core/flow/definition.ts";

const OF_RUN: Options = {
  tools: ["fakes", "mocks"],
  signals: ["events"],
  cancel: [],
  until: ["timeout"],
  startsAt: ["now"],
  seed: [],
};
const OF_MOMENT: Options = { at: ["delay"], after: [] };
const OF_SIGNAL: Options = { ...OF_MOMENT, name: [], payload: ["data", "value"], flow: [] };
const OF_CANCEL: Options = { ...OF_MOMENT, force: [] };

/** Throws flow_invalid with all that is wrong. */
export function checkOptions(options: unknown): void {
  const faults = new Faults();
  if (isObject(options)) addWrong(options, faults);
  else faults.add([], `its options must be an object, got ${tellGiven(options)}`);
  faults.throwOf("runFlow");
}

function addWrong(options: Readonly<Record<string, unknown>>, faults: Faults): void {
  const { signals = [], cancel = {} } = options;
  const check = (given: unknown, reader: string, known: Options): void => {
    if (isObject(given)) faults.addUnknownKeys(given, reader, known);
    else faults.add([], `${reader} must be an object, got ${tellGiven(given)}`);
  };
  check(options, "runFlow", OF_RUN);
  if (Array.isArray(signals)) for (const signal of signals) check(signal, "a signal", OF_SIGNAL);
  else faults.add([], `signals must be a list: [{ name: "approved" }], got ${tellGiven(signals)}`);
  check(cancel, "cancel", OF_CANCEL);
}
