// How the dashboard's files are served.

import { beforeAll, describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import { uiAssets } from "../../.scripts/ui-assets.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import { createApp } from "./app.ts";

let packed: Uint8Array;
let app: Hono;

const appWith = (token?: string): Hono =>
  createApp(new FakeTaskonaut(), { host: "127.0.0.1", token, readUi: async () => packed });

beforeAll(async () => {
  packed = await uiAssets();
  app = appWith();
});

async function assetOf(kind: "js" | "css" | "svg"): Promise<string> {
  const page = await (await app.request("/ui")).text();
  return new RegExp(`/ui/assets/[\\w.-]+\\.${kind}`).exec(page)?.[0] ?? "";
}

describe("the dashboard", () => {
  test("is one page for every view's address, which is never kept without asking", async () => {
    for (const path of ["/ui", "/ui/", "/ui/tasks", "/ui/tasks/x?step=1"]) {
      const response = await app.request(path);
      expect({ path, status: response.status, type: response.headers.get("content-type") }).toEqual({
        path,
        status: 200,
        type: "text/html; charset=utf-8",
      });
      expect(response.headers.get("cache-control")).toBe("no-cache");
      expect(await response.text()).toStartWith("<!doctype html>");
    }
  });

  test.each(["js", "css", "svg"] as const)("has its .%s under a name that may be kept for ever", async (kind) => {
    const response = await app.request(await assetOf(kind));
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await response.text()).length).toBeGreaterThan(100);
  });

  test("takes 60 KB at most, compressed, without what only the charts load", () => {
    const head = new TextDecoder().decode(packed.subarray(0, packed.indexOf(0)));
    const files = JSON.parse(head) as readonly { readonly name: string; readonly size: number }[];
    const ofCharts = files.filter(({ name }) => name.startsWith("chunk-"));
    expect(ofCharts).toHaveLength(1);
    const sum = (those: typeof files): number => those.reduce((all, { size }) => all + size, 0);
    expect(sum(files) - sum(ofCharts)).toBeLessThan(60_000);
    expect(sum(ofCharts)).toBeLessThan(30_000);
  });

  test("is sent compressed to whoever can read that, and is not sent again to whoever has it", async () => {
    const path = await assetOf("js");
    const response = await app.request(path, { headers: { "accept-encoding": "br, gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const etag = response.headers.get("etag") ?? "";
    const again = await app.request(path, { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("lets nothing run but its own files, and stands in nobody's frame", async () => {
    for (const path of ["/ui", await assetOf("js")]) {
      const { headers } = await app.request(path);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
    expect(await (await app.request("/ui")).text()).not.toMatch(/<script(?![^>]*src=)|\sstyle=|\son\w+=/);
  });

  test("has no other files: 404, and the page is not there by its file's name", async () => {
    for (const name of ["nope.js", "index.html", "..%2fapp.ts"]) {
      expect((await app.request(`/ui/assets/${name}`)).status).toBe(404);
    }
  });

  test("is open where a token is wanted, for it holds nothing; the API is not", async () => {
    const guarded = appWith("secret");
    expect((await guarded.request("/ui/tasks")).status).toBe(200);
    expect((await guarded.request("/tasks")).status).toBe(401);
    expect((await guarded.request("/uix")).status).toBe(401);
  });

  test("is refused like all else where the host or the origin is a stranger's", async () => {
    expect((await app.request("/ui", { headers: { host: "evil.example" } })).status).toBe(403);
    expect((await app.request("/ui", { headers: { host: "localhost", origin: "https://evil.example" } })).status).toBe(
      403,
    );
  });

  test("is tried again where it could not be read", async () => {
    let reads = 0;
    const flaky = createApp(new FakeTaskonaut(), {
      host: "127.0.0.1",
      readUi: async () => {
        reads += 1;
        if (reads === 1) throw new Error("disk");
        return packed;
      },
    });
    expect((await flaky.request("/ui")).status).toBe(500);
    expect((await flaky.request("/ui")).status).toBe(200);
  });
});
