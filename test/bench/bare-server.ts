// What an HTTP request with one durable write costs at the least, on the same framework, runtime and database.
// argv: database URL. stdout: the address, once it listens. Ends with its standard input.

import { Hono } from "hono";
import { openBareInsert } from "./places.ts";

const bare = await openBareInsert(process.argv[2] ?? "");
const app = new Hono().post("/", async (context) => {
  await context.req.json();
  await bare.insert();
  return context.json({ ok: true }, 201);
});
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
process.stdout.write(server.url.href);
await Bun.stdin.text();
await server.stop(true);
await bare.close();
