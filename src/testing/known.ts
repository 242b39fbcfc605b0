// The flows and tools that the files of a test define, as far as they were loaded. A flow does not say which tools it
// calls, nor which flows it runs as children: what is defined is what there can be.

import type { Flow } from "../core/flow/flow.ts";
import type { Tool } from "../core/flow/tool.ts";
import { framesOf, OF_PACKAGE } from "../flows/frames.ts";
import * as sdk from "../sdk/taskonaut.ts";
import { showingUsersLines } from "./own-lines.ts";

export class Known {
  /** By name, the one that was defined last. */
  readonly #flows = new Map<string, Flow>();
  /** By the flow itself: the file that defines it. */
  readonly #files = new WeakMap<Flow, string>();
  readonly #tools = new Set<string>();

  /** "taskonaut", whose definitions are noted here. */
  readonly sdk: Readonly<Record<string, unknown>> = {
    ...sdk,
    defineFlow: (definition: never): Flow => {
      const flow: Flow = showingUsersLines(() => sdk.defineFlow(definition));
      const file = framesOf(new Error().stack ?? "").find(({ path }) => !OF_PACKAGE.test(path))?.path;
      if (file !== undefined) this.#files.set(flow, file);
      this.#flows.set(flow.name, flow);
      return flow;
    },
    defineTool: (definition: never): Tool => {
      const tool: Tool = showingUsersLines(() => sdk.defineTool(definition));
      this.#tools.add(tool.name);
      return tool;
    },
    defineSignal: (...given: [never]) => showingUsersLines(() => sdk.defineSignal(...given)),
  };

  /** Those that a run of this flow may come to, itself first, each with its file as one that was loaded from there. */
  flowsFor(flow: Flow): readonly Flow[] {
    const others = [...this.#flows.values()].filter(({ name }) => name !== flow.name);
    return [flow, ...others].map((each) => {
      const file = this.#files.get(each);
      return file === undefined ? each : { ...each, file, code: file };
    });
  }

  /** Their names. */
  get tools(): ReadonlySet<string> {
    return this.#tools;
  }
}
