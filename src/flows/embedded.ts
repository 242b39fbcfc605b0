// The files that the build embeds in the program besides its code, by their names in `.scripts/build.ts`.

/** Undefined if the program runs from its sources. */
export function findEmbedded(name: "init" | "testing" | "ui"): Blob | undefined {
  const form = new RegExp(`(?:^|/)${name}[^/]*\\.assets$`);
  return Bun.embeddedFiles.find((file) => "name" in file && typeof file.name === "string" && form.test(file.name));
}
