// Finds users' flow files, guards them, and imports them without a build. "taskonaut" and "valibot" come from this
// program (virtual modules), everything else from the user's node_modules. Nothing is installed.

import * as valibot from "valibot";
import { isReserved } from "../core/flow/names.ts";
import { TaskonautError } from "../core/errors.ts";
import type { Flow } from "../core/flow/flow.ts";
import * as taskonaut from "../sdk/taskonaut.ts";
import { BUILT_IN_FLOWS } from "./built-in.ts";
import { findFlowFiles, type FlowFile } from "./find-flow-files.ts";
import { readExports } from "./flow-exports.ts";
import { installGuards } from "./guards.ts";
import { explainLoadError } from "./load-error.ts";
import { prepareSources, provideModules } from "./prepare.ts";
import { hashSources, readSources } from "./sources.ts";
import { positionOf } from "./position.ts";

/**
 * Loads every flow that the files export, in the order of the paths, including folders. Each flow knows its `file` and
 * its `code`. A flow that several files export is loaded once. A file in a folder that is not a flow is skipped and
 * reported. Throws flow_load_failed, with file, line and column if possible.
 */
export async function loadFlows(
  paths: readonly string[],
  tell: (passed: PassedOver) => void = () => {},
): Promise<readonly Flow[]> {
  if (paths.length === 0) return [];
  const files = findFlowFiles(paths);
  installGuards();
  provideModules({ taskonaut, valibot });
  const loaded = new Map<Flow, Origin>();
  for (const file of files) {
    const { flows, code } = file.whyNot === undefined ? await loadFile(file, tell) : passOver(file, file.whyNot, tell);
    for (const flow of flows) if (!loaded.has(flow)) loaded.set(flow, { file: file.path, code });
  }
  checkNames(loaded);
  checkScheduleNames(loaded);
  return [...loaded].map(([flow, origin]) => ({ ...flow, ...origin }));
}

/** A file in a folder without a flow. */
export interface PassedOver {
  readonly file: string;
  readonly why: string;
  /** The file could not be loaded, so nobody knows whether it has a flow. */
  readonly isOdd: boolean;
}

interface Loaded {
  readonly flows: readonly Flow[];
  readonly code: string;
}

function passOver({ path }: FlowFile, why: string, tell: (passed: PassedOver) => void, isOdd = false): Loaded {
  tell({ file: path, why, isOdd });
  return { flows: [], code: "" };
}

interface Origin {
  readonly file: string;
  readonly code: string;
}

/** A file with this word is meant to have flows, so a fault in it is an error. */
const MEANS_FLOWS = /\bdefineFlow\b/;
const IMPORTS_US = /(["'`])taskonaut\1/;

async function loadFile(file: FlowFile, tell: (passed: PassedOver) => void): Promise<Loaded> {
  const found = readSources(file.path);
  const { sources } = found;
  const own = sources.filter(({ isOwn }) => isOwn);
  if (!file.isNamed && !own.some(({ text }) => IMPORTS_US.test(text)))
    return passOver(file, "exports no flow: it does not import taskonaut", tell);
  const mustWork = file.isNamed || MEANS_FLOWS.test(own[0]?.text ?? "");
  try {
    await prepareSources(found);
    const exports = (await import(file.path)) as Readonly<Record<string, unknown>>;
    const flows = readExports({ path: file.path, mustHaveFlow: file.isNamed }, exports);
    return flows.length > 0 ? { flows, code: hashSources(sources) } : passOver(file, "exports no flow", tell);
  } catch (error) {
    const explained = explainLoadError(error, file.path, sources);
    if (mustWork) throw explained;
    return passOver(file, `could not be loaded: ${explained.message}`, tell, true);
  }
}

/** Names of schedules are unique in the whole database. */
function checkScheduleNames(loaded: ReadonlyMap<Flow, Origin>): void {
  const taken = new Map<string, string>();
  for (const [flow, { file }] of loaded) {
    for (const { name } of flow.schedules) {
      const other = taken.get(name);
      if (other !== undefined) {
        const at = positionOf(file, new RegExp(`name:\\s*(["'\`])${RegExp.escape(name)}\\1`));
        throw new TaskonautError(
          "flow_load_failed",
          `${at}: schedule ${name} of flow ${flow.name} has the name of a schedule of flow ${other}. Give one of the two another name.`,
          { details: { schedule: name, flow: flow.name, file, other } },
        );
      }
      taken.set(name, flow.name);
    }
  }
}

function checkNames(loaded: ReadonlyMap<Flow, Origin>): void {
  const taken = new Map(BUILT_IN_FLOWS.map((flow) => [flow.name, "taskonaut itself"]));
  for (const [{ name }, { file }] of loaded) {
    const other = isReserved(name) ? "taskonaut itself" : taken.get(name);
    if (other !== undefined) {
      const at = positionOf(file, new RegExp(`name:\\s*(["'\`])${RegExp.escape(name)}\\1`));
      throw new TaskonautError(
        "flow_load_failed",
        `${at}: flow ${name} has the name of a flow of ${other}. Give one of the two another name.`,
        {
          details: { flow: name, file, other },
        },
      );
    }
    taken.set(name, file);
  }
}
