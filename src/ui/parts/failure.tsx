import type { ComponentChild } from "preact";
import type { ApiError } from "../api.ts";

/** Why reading or an action failed; nothing if nothing failed. Another part shows a lost connection. */
export function Failure({ error }: { readonly error: ApiError | undefined }): ComponentChild {
  if (!error || error.code === "unreachable") return null;
  return (
    <div class="failure" role="alert">
      <p>{error.message}</p>
      {error.violations.length > 0 && (
        <ul>
          {error.violations.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
