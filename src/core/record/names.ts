/** A JSON array of names that is kept beside other things: where it is damaged it says nothing, and stands in nobody's way. */
export function readNames(text: string): readonly string[] {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
