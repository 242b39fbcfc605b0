// Flows without a store: which flows exist, and whether they would accept an input.

import type { Json } from "../record/json-value.ts";
import type { Violation } from "../errors.ts";
import type { FlowDescription } from "./taskonaut.ts";

/** A step as it would be planned. */
interface PlannedStep {
  readonly step_index: number;
  readonly step_name: string;
  readonly tool_name: string;
  readonly input_payload: Json;
}

export interface CheckedInput {
  readonly flow: string;
  readonly form: FlowDescription["form"];
  /** As the flow would get it, defaults filled in. */
  readonly input: Json;
  /** Null for a `run` flow: its steps depend on outcomes. */
  readonly steps: readonly PlannedStep[] | null;
}

export interface FlowCatalog {
  /** Files of a folder that gave no flow, and why. */
  readonly passedOver: readonly { readonly file: string; readonly why: string }[];
  /** In order of name. */
  list(): Promise<readonly FlowDescription[]>;
  /** Throws flow_not_found. */
  describe(name: string): Promise<FlowDescription>;
  /** Calls no tool. Throws flow_not_found, input_invalid (every violation at once), flow_invalid. */
  check(name: string, input: unknown): CheckedInput;
  /**
   * All violations of the contract of a flow's input, or of one of its signals, including missing parts. No flow runs.
   * Throws flow_not_found. A signal that the flow does not have accepts anything.
   */
  findBreaches(of: { readonly flow: string; readonly signal?: string }, value: unknown): readonly Violation[];
}
