// What is left to do when all files of a test run are through: what files share is put away then (preload.ts).

const left: (() => Promise<unknown>)[] = [];

export function atEnd(act: () => Promise<unknown>): void {
  left.push(act);
}

export async function doAtEnd(): Promise<void> {
  for (const act of left.splice(0)) await act();
}
