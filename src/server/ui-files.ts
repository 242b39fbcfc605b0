// The dashboard's files, as the build has packed them (`.scripts/ui-assets.ts`). They contain no data of tasks: the
// page requests it from the API, with the user's token.

import type { Context, Hono } from "hono";
import { TaskonautError } from "../core/errors.ts";

/** Returns the packed files. */
export type ReadUi = () => Promise<Uint8Array>;

interface UiFile {
  readonly type: string;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

const PAGE = "index.html";

/** No inline code, nothing from other hosts, and no frames. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join("; ");

/** Adds `/ui` and everything below it: the page for the address of every view, and its files. */
export function serveUi(app: Hono, read: ReadUi): void {
  let reading: Promise<ReadonlyMap<string, UiFile>> | undefined;
  const files = (): Promise<ReadonlyMap<string, UiFile>> => {
    reading ??= read().then(unpacked);
    reading.catch(() => (reading = undefined));
    return reading;
  };
  app.get("/ui/assets/:name", async (c) => {
    const name = c.req.param("name");
    const file = name === PAGE ? undefined : (await files()).get(name);
    if (!file) throw new TaskonautError("route_not_found", `The dashboard has no file ${JSON.stringify(name)}.`);
    return answer(c, file, "public, max-age=31536000, immutable");
  });
  const page = async (c: Context): Promise<Response> => {
    const file = (await files()).get(PAGE);
    if (!file) throw new Error("The dashboard has no page.");
    return answer(c, file, "no-cache");
  };
  app.get("/ui", page);
  app.get("/ui/*", page);
}

function answer(c: Context, { type, gzipped, etag }: UiFile, cacheControl: string): Response {
  const headers = new Headers({
    "cache-control": cacheControl,
    "content-security-policy": POLICY,
    "content-type": type,
    "cross-origin-opener-policy": "same-origin",
    etag,
    "referrer-policy": "no-referrer",
    vary: "accept-encoding",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
  if (!/\bgzip\b/.test(c.req.header("accept-encoding") ?? "")) {
    return new Response(Bun.gunzipSync(gzipped), { headers });
  }
  headers.set("content-encoding", "gzip");
  return new Response(gzipped, { headers });
}

function unpacked(bytes: Uint8Array): ReadonlyMap<string, UiFile> {
  const end = bytes.indexOf(0);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as readonly {
    readonly name: string;
    readonly type: string;
    readonly size: number;
  }[];
  const files = new Map<string, UiFile>();
  let at = end + 1;
  for (const { name, type, size } of head) {
    const gzipped = bytes.slice(at, at + size);
    files.set(name, { type, gzipped, etag: `"${Bun.hash(gzipped).toString(36)}"` });
    at += size;
  }
  return files;
}
