// Who may ask a server, and where it starts at all.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { openSandbox, type Sandbox } from "./harness.ts";

setDefaultTimeout(120_000);

const TOKEN = "correct-horse-battery-staple";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** An address of this machine that is not loopback, where it has one. */
function outerAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
}

describe("where it starts", () => {
  test("on loopback alone without a token", async () => {
    for (const host of ["0.0.0.0", "::", outerAddress() ?? "192.0.2.1"]) {
      const { exit, stdout, stderr } = await sandbox.run(["run-app", "--port", "0", "--host", host]);
      expect({ host, exit, stdout }).toEqual({ host, exit: 2, stdout: "" });
      expect(stderr).toMatch(/set TASKONAUT_API_TOKEN, listen on 127\.0\.0\.1, or say --insecure/);
    }
    for (const host of ["127.0.0.1", "localhost"]) {
      await using place = await openSandbox();
      const server = await place.serve(["--host", host]);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      expect((await server.stop()).exit).toBe(0);
    }
  });

  test("everywhere with a token, or where --insecure says so", async () => {
    const cases: [args: string[], env: Record<string, string>, status: number][] = [
      [["--host", "0.0.0.0"], { TASKONAUT_API_TOKEN: TOKEN }, 401],
      [["--host", "0.0.0.0", "--insecure"], {}, 200],
    ];
    for (const [args, env, status] of cases) {
      const server = await sandbox.serve(args, { env });
      const port = new URL(server.url).port;
      for (const address of ["127.0.0.1", outerAddress() ?? "127.0.0.1"]) {
        expect((await fetch(`http://${address}:${port}/healthz`)).status).toBe(200);
        expect((await fetch(`http://${address}:${port}/tasks`)).status).toBe(status);
      }
      expect((await server.stop()).exit).toBe(0);
    }
  });

  test("not with a token that no header can carry", async () => {
    const { exit, stderr } = await sandbox.run(["run-app"], { env: { TASKONAUT_API_TOKEN: "two words" } });
    expect(exit).toBe(2);
    expect(stderr).toContain("TASKONAUT_API_TOKEN");
    expect(stderr).not.toContain("two words");
  });

  test("not on a port that is taken, nor on an address of another machine", async () => {
    const server = await sandbox.serve();
    const taken = await sandbox.run(["run-app", "--port", new URL(server.url).port]);
    const foreign = await sandbox.run(["run-app", "--port", "0", "--host", "203.0.113.1", "--insecure"]);
    for (const { exit, stderr } of [taken, foreign]) {
      expect(exit).toBe(2);
      expect(stderr).toMatch(/^error: Cannot listen on .*Choose others with --port and --host\.$/m);
    }
    await server.stop();
  });
});

describe("a token", () => {
  test("is wanted on every route but /healthz, and by the commands taken from TASKONAUT_API_TOKEN", async () => {
    const server = await sandbox.serve([], { env: { TASKONAUT_API_TOKEN: TOKEN } });
    const statusOf = async (path: string, authorization?: string): Promise<number> => {
      const response = await fetch(server.url + path, {
        headers: authorization ? { Authorization: authorization } : {},
      });
      if (response.status === 401) expect(response.headers.get("www-authenticate")).toBe("Bearer");
      return response.status;
    };
    for (const path of ["/tasks", "/tasks/5", "/flows", "/readyz", "/nowhere"]) {
      expect([path, await statusOf(path)]).toEqual([path, 401]);
    }
    for (const wrong of [`Bearer ${TOKEN}x`, "Bearer", TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN} ${TOKEN}`]) {
      expect([wrong, await statusOf("/tasks", wrong)]).toEqual([wrong, 401]);
    }
    expect([await statusOf("/healthz"), await statusOf("/tasks", `Bearer ${TOKEN}`)]).toEqual([200, 200]);

    const args = ["run-flow", "--api-base-url", server.url];
    for (const env of [{}, { TASKONAUT_API_TOKEN: "another" }]) {
      const { exit, stderr } = await sandbox.run(args, { env });
      expect(exit).toBe(2);
      expect(stderr).toContain("hint: Set TASKONAUT_API_TOKEN to the token that the server was started with.");
    }
    expect((await sandbox.run(args, { env: { TASKONAUT_API_TOKEN: TOKEN } })).exit).toBe(0);
    expect((await server.stop()).stderr).not.toContain(TOKEN);
  });
});

test("web pages of others, and names of others for this machine, are refused with 403", async () => {
  const server = await sandbox.serve();
  const { port } = new URL(server.url);
  const cases: [status: number, headers: Record<string, string>][] = [
    [200, {}],
    [200, { Origin: `http://127.0.0.1:${port}` }],
    [200, { Host: `localhost:${port}` }],
    [403, { Origin: "https://evil.example" }],
    [403, { Origin: "null" }],
    [403, { Origin: `http://127.0.0.1:${Number(port) + 1}` }],
    [403, { Host: `evil.example:${port}` }],
    [403, { Host: "169.254.169.254" }],
    [403, { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }],
  ];
  for (const [status, headers] of cases) {
    const response = await fetch(`${server.url}/tasks`, { headers });
    expect({ headers, status: response.status }).toEqual({ headers, status });
    if (status === 403) expect(await response.json()).toMatchObject({ code: "origin_forbidden", status: 403 });
    const post = await fetch(`${server.url}/tasks`, { method: "POST", headers, body: "{}" });
    expect({ headers, status: post.status }).toEqual({ headers, status: status === 200 ? 415 : 403 });
  }
  await server.stop();
});
