// The OpenAPI document of a server.

import * as v from "valibot";
import { createTransport, type TransportOptions } from "./transport.ts";

const DocumentAnswer = v.looseObject({
  openapi: v.string(),
  paths: v.record(
    v.string(),
    v.record(
      v.string(),
      v.looseObject({
        summary: v.string(),
        "x-flow": v.exactOptional(v.string()),
        "x-signal": v.exactOptional(v.string()),
      }),
    ),
  ),
});

/** Reads the document from a server. Throws usage, api_unreachable and unauthorized. */
export async function fetchApiDocument(options: TransportOptions): Promise<v.InferOutput<typeof DocumentAnswer>> {
  return (await createTransport(options).ask({ path: "/openapi.json", answer: DocumentAnswer })).body;
}
