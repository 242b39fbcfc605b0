// The schemas of an OpenAPI document: those of our contracts that have a name, and those of the loaded flows.

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

/** Contracts that have a name in the document; another one is written out where it stands. */
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
  // what JSON Schema cannot say (a custom check) is left out of it; the contract itself is applied all the same
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

  /** What a request may send. */
  takes(schema: Schema): JsonSchema {
    return written(toJsonSchema(schema, { ...CONFIG, typeMode: "input" }));
  }

  /** What an answer is. */
  gives(schema: Schema): JsonSchema {
    return written(toJsonSchema(schema, { ...CONFIG, typeMode: "output" }));
  }

  /** The input of a loaded flow; of another one anything. */
  input(flow: string): JsonSchema {
    return this.#flows.has(flow) ? { $ref: `${PLACE}input.${flow}` } : {};
  }

  taskOf(flow: string): JsonSchema {
    return { $ref: `${PLACE}task.${flow}` };
  }

  /** The payload, by whatever flow has a signal of this name. */
  signal(name: string): JsonSchema {
    const of = [...this.#flows.values()].flatMap((flow) =>
      Object.hasOwn(flow.signals, name) ? [{ $ref: `${PLACE}signal.${flow.name}.${name}` }] : [],
    );
    return of.length === 1 && of[0] ? of[0] : { anyOf: of };
  }

  /** The answer of a problem with one of these codes, which are in order: by its name. */
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

  /** Those of problems, by name. */
  responses(): Readonly<Record<string, object>> {
    return Object.fromEntries([...this.#responses].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A document of its own becomes a part of this one: what it defines for itself stands beside it. */
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

/** Not in values: a default or an example may have a `$ref` of its own. */
const VALUES: ReadonlySet<string> = new Set(["default", "const", "enum", "examples"]);

/** Their keys are names of a user's, not words of JSON Schema. */
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

/** Without what the converter puts around it: the definitions stand in the document. */
function written(schema: object): JsonSchema {
  const { $schema: _draft, $defs: _defs, ...rest } = plain(schema) as JsonSchema;
  return rest;
}

function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
