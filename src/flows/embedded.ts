// What the build puts into the program beside its code, by the names that `.scripts/build.ts` gives it.

/** Undefined where the program runs from its sources. */
export function findEmbedded(name: "init" | "testing" | "ui"): Blob | undefined {
  const form = new RegExp(`(?:^|/)${name}[^/]*\\.assets$`);
  return Bun.embeddedFiles.find((file) => "name" in file && typeof file.name === "string" && form.test(file.name));
}
