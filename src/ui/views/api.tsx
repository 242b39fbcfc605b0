// The routes of this server, from its own OpenAPI document, with a form to try each one.

import type { ComponentChild } from "preact";
import { get } from "../api.ts";
import { useLive } from "../live.ts";
import { type Document, operationsOf, type Operation } from "../openapi.ts";
import { Failure } from "../parts/failure.tsx";
import { TryCall } from "../parts/try-call.tsx";
import { hrefOf } from "../router.ts";

export function Api({ id }: { readonly id: string | undefined }): ComponentChild {
  const { data: document, error } = useLive(
    "openapi",
    async (signal) => (await get<Document>("/openapi.json", signal)).body,
    () => false,
  );
  const operations = document ? operationsOf(document) : [];
  const operation = operations.find((each) => each.operationId === id);
  return (
    <>
      <h1>API</h1>
      <p>
        What this server takes and answers, as <a href="/openapi.json">an OpenAPI document</a> for other programs.
      </p>
      <Failure error={error} />
      {/* the chosen call comes before the long list, for screen readers and phones */}
      <div class="api">
        {document && operation && <Details key={operation.operationId} operation={operation} document={document} />}
        {document && id !== undefined && !operation && <p>This server has no call “{id}”.</p>}
        <nav aria-label="Calls">
          {[...Map.groupBy(operations, ({ tags: [tag = "other"] }) => tag)].map(([tag, each]) => (
            <details key={tag} open={each.some(({ operationId }) => operationId === id) || undefined}>
              <summary>{tag}</summary>
              <ul>
                {each.map((one) => (
                  <li key={one.operationId}>
                    <Link operation={one} isChosen={one === operation} />
                  </li>
                ))}
              </ul>
            </details>
          ))}
        </nav>
      </div>
    </>
  );
}

function Link({
  operation: { operationId, method, path, summary },
  isChosen,
}: {
  readonly operation: Operation;
  readonly isChosen: boolean;
}): ComponentChild {
  return (
    <a href={hrefOf(`/api/${encodeURIComponent(operationId)}`)} aria-current={isChosen ? "true" : undefined}>
      <code>
        {method} {path}
      </code>
      <small>{summary}</small>
    </a>
  );
}

function Details({
  operation,
  document,
}: {
  readonly operation: Operation;
  readonly document: Document;
}): ComponentChild {
  const { method, path, summary, description, responses, "x-roles": roles = [] } = operation;
  return (
    <section class="card" aria-label={summary}>
      <h2>
        {summary}
        <code>
          {method} {path}
        </code>
      </h2>
      {description !== undefined && <p>{description}</p>}
      <p class="hint">{roles.length === 0 ? "For everybody, without a token." : `For ${roles.join(", ")}.`}</p>
      <TryCall operation={operation} document={document} />
      <h3>Answers</h3>
      <dl class="answers">
        {Object.entries(responses).map(([status, { description: about }]) => (
          <div key={status}>
            <dt>{status}</dt>
            <dd>{about}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
