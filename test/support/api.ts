// The HTTP API without a socket, over a Taskonaut that lives in memory.

import { beforeEach, expect } from "bun:test";
import type { Hono } from "hono";
import type { Task } from "../../src/core/api/task.ts";
import { createApp } from "../../src/server/app.ts";
import type { Problem } from "../../src/server/errors.ts";
import { FakeTaskonaut } from "./fake-taskonaut.ts";

/** Well-formed, and no task's. */
export const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

export interface Api {
  readonly taskonaut: FakeTaskonaut;
  readonly app: Hono;
  /** As JSON, where the headers do not say otherwise. */
  readonly post: (path: string, body?: Bun.BodyInit, headers?: Record<string, string>) => Promise<Response>;
  readonly createTask: () => Promise<Task>;
}

/** A new one for each test. Call it at the top of a file or a `describe`. */
export function apiInMemory(): Api {
  let taskonaut = new FakeTaskonaut();
  let app = createApp(taskonaut, { host: "127.0.0.1" });

  beforeEach(() => {
    taskonaut = new FakeTaskonaut();
    app = createApp(taskonaut, { host: "127.0.0.1" });
  });

  const post: Api["post"] = (path, body, headers) => postTo(app, path, body, headers);
  return {
    get taskonaut() {
      return taskonaut;
    },
    get app() {
      return app;
    },
    post,
    createTask: async () => (await (await post("/tasks", "{}")).json()) as Task,
  };
}

export async function postTo(
  app: Hono,
  path: string,
  body?: Bun.BodyInit,
  headers: Record<string, string> = { "Content-Type": "application/json" },
): Promise<Response> {
  return app.request(path, { method: "POST", headers, ...(body !== undefined && { body }) });
}

/** What the response tells of an error, once it is seen to be a whole problem document. */
export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Problem;
  expect(problem).toMatchObject({ status: response.status, type: `urn:taskonaut:error:${problem.code}` });
  expect(problem.title).toBeString();
  expect(problem.detail).toBeString();
  expect(problem.detail).not.toBe("");
  return problem;
}
