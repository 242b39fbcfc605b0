// The schemas of an OpenAPI document: our named contracts, and those of the loaded flows.

import { toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import {
  CallAnswer,
  CallSummaryAnswer,
  DamagedAnswer,
  FlowAnswer,
  ProblemAnswer,
  StepAnswer,
  StepSummaryAnswer,
  StoredErrorAnswer,
  SummaryAnswer,
  TaskAnswer,
  WaitingAnswer,
  WorkerAnswer,
} from "../core/api/answers.ts";
import { LimitAnswer } from "../core/api/limit-answers.ts";
import { PauseAnswer } from "../core/api/pause-answers.ts";
import { ScheduleAnswer, ScheduleDetailsAnswer } from "../core/api/schedule-answers.ts";
import { TokenAnswer } from "../core/api/token-answers.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Schema } from "../core/flow/contract.ts";
import type { Json } from "../core/record/json-value.ts";

export type JsonSchema = { readonly [key: string]: Json };

/** Contracts with a name in the document. All others are written inline. */
const NAMED = {
  Task: TaskAnswer,
  TaskSummary: SummaryAnswer,
  DamagedTask: DamagedAnswer,
  Step: StepAnswer,
  StepSummary: StepSummaryAnswer,
  ToolCall: CallAnswer,
  ToolCallSummary: CallSummaryAnswer,
  StoredError: StoredErrorAnswer,
  Waiting: WaitingAnswer,
  Flow: FlowAnswer,
  Worker: WorkerAnswer,
  Limit: LimitAnswer,
  Pause: PauseAnswer,
  Schedule: ScheduleAnswer,
  ScheduleDetails: ScheduleDetailsAnswer,
  Token: TokenAnswer,
  Problem: ProblemAnswer,
} as unknown as Record<string, GenericSchema>;

const PLACE = "#/components/schemas/";

const CONFIG = {
  target: "draft-2020-12",
  // custom checks have no form in JSON Schema and are left out; the contract still applies them
  errorMode: "ignore",
  definitions: NAMED,
  overrideRef: ({ referenceId }: { readonly referenceId: string }) => PLACE + referenceId,
} as const;

export class Components {
  readonly #schemas: Record<string, JsonSchema>;
  readonly #responses = new Map<string, object>();
  readonly #flows: ReadonlyMap<string, FlowDescription>;

  constructor(flows: readonly FlowDescription[]) {
    this.#flows = new Map(flows.map((flow) => [flow.name, flow]));
    this.#schemas = plain(toJsonSchemaDefs(NAMED, { ...CONFIG, typeMode: "output" })) as Record<string, JsonSchema>;
    for (const flow of flows) {
      this.#hoist(`input.${flow.name}`, flow.input_schema);
      for (const [signal, schema] of Object.entries(flow.signals)) this.#hoist(`signal.${flow.name}.${signal}`, schema);
      this.#schemas[`task.${flow.name}`] = {
        description: `A task of the flow ${flow.name}.`,
        allOf: [
          { $ref: `${PLACE}Task` },
          { type: "object", properties: { flow_name: { type: "string", const: flow.name } } },
        ],
      };
    }
  }

  /** By name. */
  all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(Object.entries(this.#schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The schema of a request. */
  takes(schema: Schema): JsonSchema {
    return written(toJsonSchema(schema, { ...CONFIG, typeMode: "input" }));
  }

  /** The schema of an answer. */
  gives(schema: Schema): JsonSchema {
    return written(toJsonSchema(schema, { ...CONFIG, typeMode: "output" }));
  }

  /** The input of a loaded flow. The input of any other flow can be anything. */
  input(flow: string): JsonSchema {
    return this.#flows.has(flow) ? { $ref: `${PLACE}input.${flow}` } : {};
  }

  taskOf(flow: string): JsonSchema {
    return { $ref: `${PLACE}task.${flow}` };
  }

  /** The payload of a signal, for every flow that has a signal of this name. */
  signal(name: string): JsonSchema {
    const of = [...this.#flows.values()].flatMap((flow) =>
      Object.hasOwn(flow.signals, name) ? [{ $ref: `${PLACE}signal.${flow.name}.${name}` }] : [],
    );
    return of.length === 1 && of[0] ? of[0] : { anyOf: of };
  }

  /** A reference to the problem answer with one of these codes. The codes are sorted. */
  problem(status: number, codes: readonly ErrorCode[]): { readonly $ref: string } {
    const name = `${status}_${codes.join("_or_")}`;
    const schema = {
      allOf: [
        { $ref: `${PLACE}Problem` },
        {
          type: "object",
          properties: { status: { type: "integer", const: status }, code: { type: "string", enum: codes } },
        },
      ],
    };
    this.#responses.set(name, {
      description: codes.join(", "),
      content: { "application/problem+json": { schema } },
    });
    return { $ref: `#/components/responses/${name}` };
  }

  /** The problem answers, by name. */
  responses(): Readonly<Record<string, object>> {
    return Object.fromEntries([...this.#responses].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Makes a separate schema document part of this one: its definitions move to the components. */
  #hoist(name: string, schema: JsonSchema): void {
    const { $schema: _draft, $defs: own = {}, ...rest } = schema;
    const moved = (ref: string): string =>
      ref === "#" ? PLACE + name : ref.replace(/^#\/\$defs\/(.*)$/, (_, key: string) => PLACE + nameOf(name, key));
    this.#schemas[name] = withRefs(rest, moved) as JsonSchema;
    for (const [key, each] of Object.entries(own as JsonSchema)) {
      this.#schemas[nameOf(name, key)] = withRefs(each, moved) as JsonSchema;
    }
  }
}

/** Names of components have letters, digits, dots, dashes and underscores only. */
function nameOf(of: string, key: string): string {
  return `${of}.${key.replaceAll(/[^\w.-]/g, "_")}`;
}

/** Values are left as they are: a default or an example may have a `$ref` of its own. */
const VALUES: ReadonlySet<string> = new Set(["default", "const", "enum", "examples"]);

/** The keys of these are names from the user, not JSON Schema keywords. */
const MAPS: ReadonlySet<string> = new Set(["properties", "patternProperties", "dependentSchemas"]);

function withRefs(schema: Json, moved: (ref: string) => string): Json {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((each: Json) => withRefs(each, moved));
  return Object.fromEntries(
    Object.entries(schema).map(([key, each]) => {
      if (key === "$ref" && typeof each === "string") return [key, moved(each)];
      if (MAPS.has(key)) return [key, mapped(each, (schemaOf) => withRefs(schemaOf, moved))];
      return [key, VALUES.has(key) ? each : withRefs(each, moved)];
    }),
  );
}

function mapped(schemas: Json, change: (schema: Json) => Json): Json {
  return Object.fromEntries(Object.entries(schemas as JsonSchema).map(([name, each]) => [name, change(each)]));
}

/** Removes the parts that the converter adds: the definitions are in the components. */
function written(schema: object): JsonSchema {
  const { $schema: _draft, $defs: _defs, ...rest } = plain(schema) as JsonSchema;
  return rest;
}

function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
