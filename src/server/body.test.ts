// Request bodies: which are read exactly, and which are refused and why.

import { describe, expect, test } from "bun:test";
import type { Task } from "../core/api/task.ts";
import { apiInMemory, problemOf } from "../../test/support/api.ts";

const api = apiInMemory();
const { post } = api;

describe("a body", () => {
  test("every violation is named at once, and nothing is created", async () => {
    const problem = await problemOf(await post("/tasks", '{"text":1,"a":"2","b":true,"c":3}'));
    expect(problem.status).toBe(422);
    expect(problem.errors?.map((one) => one.path).toSorted()).toEqual(["a", "b", "c", "text"]);
    expect(api.taskonaut.tasks.size).toBe(0);
  });

  test.each([
    '{"a":2.5}',
    '{"a":9007199254740992}',
    '{"a":9007199254740993.0}',
    '{"a":9007199254740991.4}',
    '{"a":0.99999999999999999999}',
    '{"a":1e400}',
    "[]",
    "null",
    '"x"',
    "[".repeat(60_000),
  ])("%p answers 422", async (body) => {
    const response = await post("/tasks", body);
    expect(response.status).toBe(422);
    expect((await problemOf(response)).errors).not.toBeEmpty();
  });

  test.each(['{"a":2.0}', '{"a":1e2}', '{"text":"\\u0000\\ud800"}', '\ufeff{"a":1}', '{"a":9007199254740991}'])(
    "%p is taken",
    async (body) => {
      expect((await post("/tasks", body)).status).toBe(201);
    },
  );

  test("text comes back exactly as it went in", async () => {
    const text = "\u0000 \ud800 \udc00x 😀 \u2028 ‮ ﷽";
    const response = await post("/tasks", JSON.stringify({ text }));
    expect(((await response.json()) as Task).input_payload).toMatchObject({ text });
  });

  test.each<[string, Bun.BodyInit]>([
    ["no JSON", "{"],
    ["NaN", '{"a":NaN}'],
    ["a comment", "{} // x"],
    ["white space alone", " "],
    ["invalid UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["an encoded surrogate", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
    ["nothing", ""],
  ])("%s answers 400", async (_, body) => {
    const response = await post("/tasks", body);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).code).toBe("body_invalid");
  });

  test("the place of a mistake in the JSON is said", async () => {
    expect((await problemOf(await post("/tasks", '{"a": 1,\n"b" 2}'))).detail).toContain("line 2, column 5");
  });

  test("a body over the limit answers 413, announced or chunked, and at the limit it is read", async () => {
    const body = JSON.stringify({ text: "x".repeat(64 * 1024 - '{"text":""}'.length) });
    expect((await post("/tasks", body)).status).toBe(201);
    const announced = await post("/tasks", "x", { "Content-Type": "application/json", "Content-Length": "65537" });
    expect(announced.headers.get("connection")).toBe("close");
    expect((await problemOf(announced)).code).toBe("body_too_large");
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1024).fill(0x20));
      },
    });
    expect((await post("/tasks", endless)).status).toBe(413);
    expect(pulled).toBeLessThan(80);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "multipart/form-data; boundary=json",
    "application/json; charset=utf-16",
    'application/json;charset="latin1"',
    "",
  ])("the content type %p answers 415", async (type) => {
    expect((await problemOf(await post("/tasks", "{}", { "Content-Type": type }))).status).toBe(415);
  });

  test.each([
    "application/json",
    "APPLICATION/JSON; charset=utf-8",
    "application/json;charset=utf-8",
    'application/json; charset="UTF8"',
    "application/vnd.api+json",
  ])("the content type %p is taken", async (type) => {
    expect((await post("/tasks", "{}", { "Content-Type": type })).status).toBe(201);
  });

  test("a compressed body answers 415, and says how it came", async () => {
    const type = { "Content-Type": "application/json" };
    const zipped = await post("/tasks", Bun.gzipSync("{}"), { ...type, "Content-Encoding": "gzip" });
    expect(zipped.status).toBe(415);
    expect((await problemOf(zipped)).detail).toBe('The body must not be compressed, found Content-Encoding: "gzip".');
    expect((await post("/tasks", "{}", { ...type, "Content-Encoding": "identity" })).status).toBe(201);
  });
});
