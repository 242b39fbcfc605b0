// The list of tasks: whole as a stream, or page by page.

import { describe, expect, test } from "bun:test";
import type { Task } from "../core/task.ts";
import { apiInMemory, problemOf } from "../../test/support/api.ts";

const api = apiInMemory();
const { createTask } = api;

describe("lists", () => {
  test("GET /tasks gives all tasks as one array, newest first, whatever their number", async () => {
    for (const count of [0, 1, 99, 101, 200, 250]) {
      while (api.taskonaut.tasks.size < count) await createTask();
      const tasks = (await (await api.app.request("/tasks")).json()) as Task[];
      expect(tasks.map((task) => task.id)).toEqual([...api.taskonaut.tasks.keys()].toReversed());
    }
  });

  test("an empty last page leaves the array whole", async () => {
    for (let i = 0; i < 100; i++) await createTask();
    const listTasks = api.taskonaut.listTasks.bind(api.taskonaut);
    api.taskonaut.listTasks = async (request) =>
      request.cursor === undefined ? { ...(await listTasks(request)), next: "100" } : { tasks: [] };
    expect(((await (await api.app.request("/tasks")).json()) as Task[]).length).toBe(100);
  });

  test("limit and cursor give one page, and a Link to the next one", async () => {
    for (let i = 0; i < 5; i++) await createTask();
    const seen: string[] = [];
    let path: string | undefined = "/tasks?limit=2";
    for (let pages = 0; path !== undefined && pages < 10; pages++) {
      const response = await api.app.request(path);
      seen.push(...((await response.json()) as Task[]).map((task) => task.id));
      path = /^<(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual([...api.taskonaut.tasks.keys()].toReversed());
  });

  test.each(["0", "1001", "-1", "1.5", "", "x", "1e2"])("limit=%s answers 422", async (limit) => {
    expect((await problemOf(await api.app.request(`/tasks?limit=${limit}`))).errors?.[0]?.path).toBe("limit");
  });

  test("a cursor that is none answers 422", async () => {
    expect((await api.app.request("/tasks?cursor=x")).status).toBe(422);
  });
});
