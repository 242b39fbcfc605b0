import { describe, expect, test } from "bun:test";
import { createApp } from "./app.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";

type Headers = Record<string, string>;

async function statusOf(options: { host: string; token?: string }, path: string, headers: Headers): Promise<number> {
  const response = await createApp(new FakeTaskonaut(), options).request(path, { headers });
  return response.status;
}

describe("tokens", () => {
  for (const host of ["0.0.0.0", "127.0.0.1"]) {
    const options = { host, token: "s3cret" };

    test(`on ${host} a token is wanted on every route but /healthz, known or not`, async () => {
      for (const path of ["/tasks", "/tasks/x", "/flows", "/readyz", "/nope", "/healthz/", "//healthz"]) {
        expect(await statusOf(options, path, {})).toBe(401);
        expect(await statusOf(options, path, { Authorization: "Bearer s3cret" })).not.toBe(401);
      }
      expect(await statusOf(options, "/healthz", {})).toBe(200);
    });

    test.each([
      "",
      "s3cret",
      "Bearer",
      "Bearer ",
      "Bearer s3cre",
      "Bearer s3crets",
      "Basic s3cret",
      "Bearer s3cret s3cret",
      "Bearer S3CRET",
    ])(`on ${host} the authorization %p is refused with a challenge`, async (authorization) => {
      const response = await createApp(new FakeTaskonaut(), options).request("/flows", {
        headers: { Authorization: authorization },
      });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await response.json()).toMatchObject({ code: "unauthorized" });
    });
  }

  test("the scheme is read in any letter case, as RFC 9110 wants it", async () => {
    expect(await statusOf({ host: "0.0.0.0", token: "t" }, "/flows", { Authorization: "bearer t" })).toBe(200);
  });

  test("nothing is read or done for a stranger", async () => {
    const taskonaut = new FakeTaskonaut();
    const app = createApp(taskonaut, { host: "0.0.0.0", token: "t" });
    await app.request("/tasks", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
    expect(taskonaut.calls).toEqual([]);
  });
});

describe("origins and hosts", () => {
  test.each<[Headers, number]>([
    [{}, 200],
    [{ Host: "localhost:8000" }, 200],
    [{ Host: "LOCALHOST" }, 200],
    [{ Host: "127.0.0.1:1" }, 200],
    [{ Host: "127.8.9.10" }, 200],
    [{ Host: "[::1]:8000" }, 200],
    [{ Host: "evil.example" }, 403],
    [{ Host: "localhost.evil.example" }, 403],
    [{ Host: "127.0.0.1.evil.example" }, 403],
    [{ Host: "localhost@evil.example" }, 403],
    [{ Host: "10.0.0.1" }, 403],
    [{ Host: "" }, 403],
    [{ Host: "localhost:8000", Origin: "http://localhost:8000" }, 200],
    [{ Host: "localhost", Origin: "http://localhost" }, 200],
    [{ Host: "localhost:80", Origin: "http://localhost" }, 200],
    [{ Host: "localhost:8000", Origin: "http://localhost:3000" }, 403],
    [{ Host: "localhost:8000", Origin: "https://evil.example" }, 403],
    [{ Host: "localhost:8000", Origin: "null" }, 403],
    [{ Host: "localhost:8000", Origin: "file://" }, 403],
    [{ Host: "localhost:8000", Origin: "" }, 403],
    [{ Origin: "http://localhost:8000" }, 403],
    [{ Host: "evil.example", Origin: "http://evil.example" }, 403],
  ])("on loopback %p answers %d", async (headers, status) => {
    for (const path of ["/flows", "/healthz"])
      expect(await statusOf({ host: "127.0.0.1" }, path, headers)).toBe(status);
  });

  test("on another bind any Host is own, and only its own Origin", async () => {
    const options = { host: "0.0.0.0", token: "t" };
    const Authorization = "Bearer t";
    expect(await statusOf(options, "/flows", { Authorization, Host: "tasks.example" })).toBe(200);
    expect(
      await statusOf(options, "/flows", { Authorization, Host: "tasks.example", Origin: "https://tasks.example" }),
    ).toBe(200);
    expect(
      await statusOf(options, "/flows", { Authorization, Host: "tasks.example", Origin: "https://evil.example" }),
    ).toBe(403);
  });
});
