// User code of a flow besides its program: contracts, and what computes tags and keys. It ends or is aborted, and its
// errors are reported with their place.

import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { during } from "../../core/flow/activity.ts";
import { applyContract, type ContractResult, type Schema } from "../../core/flow/contract.ts";
import { FlowStuckError, within } from "../../core/flow/flow-bound.ts";
import { obstacleIn } from "../../core/flow/obstacle.ts";
import { isA, messageOf, placeOf } from "../../core/record/stored-error.ts";
import { placeWhere } from "../task/tell-violation.ts";

/** Details of an error that is about this process: another one may do what it refuses. */
export const OF_PROCESS = { limit: "process" } as const;

/** `name`: of the option that computes. Throws flow_invalid, also where `compute` refuses what the user's code gave. */
export function computeBy<T>(flow: Flow, name: string, compute: () => T): T {
  const run = (): T => within(flow, compute);
  try {
    return run();
  } catch (error) {
    if (isA(error, TaskonautError)) throw withPlace(error, flow);
    const thrownAt = isA(error, Error) ? placeOf(error) : undefined;
    const at = isA(error, FlowStuckError) ? (placeWhere(run, flow) ?? flow.file) : (thrownAt ?? flow.at);
    const obstacle = obstacleIn(error);
    const isOfProcess = isA(error, FlowStuckError) || obstacle !== undefined;
    const message = `Flow ${flow.name}: ${name} failed for this input: ${obstacle ?? messageOf(error)}`;
    throw new TaskonautError("flow_invalid", at === undefined ? message : `${message} (at ${at})`, {
      details: { ...(at !== undefined && { at }), ...(isOfProcess && OF_PROCESS) },
      cause: error,
    });
  }
}

/** `name`: what it is called at the beginning of a sentence. Throws flow_invalid if it does not end. */
export function applyOwnContract<T>(
  flow: Flow,
  name: string,
  schema: Schema<unknown, T>,
  given: unknown,
): ContractResult<T> {
  const parse = (): ContractResult<T> => within(flow, () => applyContract(schema, given));
  try {
    return flow.file === undefined ? parse() : during("flow", { flow: flow.name, at: flow.at }, parse);
  } catch (error) {
    if (!isA(error, FlowStuckError)) throw error;
    const place = placeWhere(parse, flow);
    throw new TaskonautError("flow_invalid", `${name}: ${error.message} It was at ${place ?? flow.file}.`, {
      details: OF_PROCESS,
      cause: error,
    });
  }
}

/** What the SDK refused: told with the place in the user's file. */
export function withPlace(error: TaskonautError, flow: Flow): TaskonautError {
  const at = placeOf(error) ?? flow.at;
  if (at === undefined) return error;
  const { code, message, details, errors } = error;
  return new TaskonautError(code, `${message} It was at ${at}.`, { details: { ...details, at }, errors, cause: error });
}
