// The OpenAPI document without a server.

import type { Taskonaut } from "../core/api/taskonaut.ts";
import { SILENT } from "../core/log.ts";
import { createDocument, type OpenApi } from "./openapi.ts";
import { routesOf } from "./routes.ts";

/** The document that a server of this taskonaut serves at /openapi.json. */
export async function readApiDocument(taskonaut: Taskonaut, version: string): Promise<OpenApi> {
  const routes = routesOf({ taskonaut, maxBodyBytes: 0, log: SILENT, version, onLongWait: () => {} });
  return createDocument({ routes, flows: await taskonaut.listFlows(), version });
}
