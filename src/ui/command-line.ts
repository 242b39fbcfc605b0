// What a button does, as a command that does the same from anywhere.

/** `taskonaut retry-task <id> --api-base-url http://127.0.0.1:8000`, quoted for a shell. */
export function commandLine(...words: readonly string[]): string {
  return ["taskonaut", ...words, "--api-base-url", location.origin].map(quoted).join(" ");
}

/** What needs no quotes has none. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
