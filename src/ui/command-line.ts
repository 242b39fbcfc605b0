// The command that does the same as a button.

/** `taskonaut retry-task <id> --api-base-url http://127.0.0.1:8000`, quoted for a shell. */
export function commandLine(...words: readonly string[]): string {
  return ["taskonaut", ...words, "--api-base-url", location.origin].map(quoted).join(" ");
}

/** Adds quotes only if the text needs them. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
