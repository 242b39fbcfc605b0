// Explains to a flow's author why its file could not be loaded: where, what, and what to do.

import { TaskonautError, type Violation } from "../core/errors.ts";
import { DefinitionError, toSentence } from "../core/flow/definition.ts";
import { framesOf, type Frame } from "./frames.ts";
import { locateKey } from "./locate-key.ts";
import { offsetOf, placeOf, positionOf } from "./position.ts";
import type { Source } from "./sources.ts";
import { adviceForPaths } from "./tsconfig.ts";

/** `sources`: the file and the files that it imports, as far as they could be read. */
export function explainLoadError(error: unknown, file: string, sources: readonly Source[]): TaskonautError {
  if (error instanceof TaskonautError && error.code === "flow_load_failed") return error;
  const {
    where,
    what,
    errors = [],
  } = explainSyntax(error) ?? explainMissing(error, sources) ?? explainThrown(error, file, sources);
  return new TaskonautError("flow_load_failed", `${where}: ${what}`, {
    details: { file: where },
    errors,
    cause: error,
  });
}

interface Explanation {
  readonly where: string;
  readonly what: string;
  /** If there are several errors, each with its place. */
  readonly errors?: readonly Violation[];
}

/** Bun throws one BuildMessage, or an AggregateError of several. The first one causes the others. */
function explainSyntax(error: unknown): Explanation | undefined {
  const message: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(message instanceof BuildMessage) || !message.position) return undefined;
  const { file, line, column } = message.position;
  return { where: `${file}:${line}:${column}`, what: `${message.message}. Correct the syntax there.` };
}

const MISSING_EXPORT = /^Export named '(.+)' not found in module '(.+)'/;

function explainMissing(error: unknown, sources: readonly Source[]): Explanation | undefined {
  const found: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (found instanceof ResolveMessage) {
    const importer = sources.find(({ path }) => path === found.referrer);
    const form = new RegExp(`(["'\`])${RegExp.escape(found.specifier)}\\1`);
    return {
      where: importer ? positionOf(importer.path, form, importer.text) : found.referrer,
      what: `cannot find ${JSON.stringify(found.specifier)}. ${adviceForPaths(found.specifier, found.referrer) ?? (/^[./]/.test(found.specifier) ? "Check the path and its ending." : "Install the package beside the file; only taskonaut and valibot come with the program.")}`,
    };
  }
  const [, name, module] = (error instanceof SyntaxError && MISSING_EXPORT.exec(error.message)) || [];
  if (name === undefined || module === undefined) return undefined;
  const form = new RegExp(`(?<=import[^;"'\`]*)\\b${RegExp.escape(name)}\\b(?=[^;"'\`]*from\\b)`);
  const importer = sources.find(({ text }) => form.test(text));
  return {
    where: importer ? positionOf(importer.path, form, importer.text) : module,
    what: `${JSON.stringify(module)} exports no ${name}. Check the name; of a type write \`import type\`.`,
  };
}

/** The file threw while it was loaded. The place is the topmost frame in the user's own code. */
function explainThrown(error: unknown, file: string, sources: readonly Source[]): Explanation {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const own = new Set(sources.map(({ path }) => path));
  const frame = framesOf(stack).find(({ path }) => own.has(path));
  const where = frame ? `${frame.path}:${frame.line}:${frame.column}` : file;
  if (error instanceof DefinitionError) return explainDefinition(error, frame, { where, sources });
  if (error instanceof TaskonautError) return { where, what: error.message };
  const thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { where, what: `the file failed while it was loaded: ${thrown}` };
}

/**
 * A single fault is reported where its key is written. Several are reported at the definition, each with its own place.
 */
function explainDefinition(
  { owner, faults, message }: DefinitionError,
  frame: Frame | undefined,
  { where, sources }: { readonly where: string; readonly sources: readonly Source[] },
): Explanation {
  const source = sources.find(({ path }) => path === frame?.path);
  const call = source && frame ? offsetOf(source.text, Number(frame.line), Number(frame.column)) : 0;
  const placed = faults
    .map((fault) => ({ ...fault, offset: source && locateKey(source.text, call, fault.path) }))
    .toSorted((one, other) => (one.offset ?? call) - (other.offset ?? call));
  const whereOf = ({ offset }: (typeof placed)[number]): string =>
    source && offset !== undefined ? placeOf(source.path, source.text, offset) : where;
  const [only, ...others] = placed;
  if (only && others.length === 0) return { where: whereOf(only), what: message };
  const errors = placed.map((fault) => ({ path: whereOf(fault), message: toSentence(fault.message) }));
  return { where, what: `${owner}: ${faults.length} things are wrong.`, errors };
}
