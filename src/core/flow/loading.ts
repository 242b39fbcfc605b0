// Whether files of flows are being loaded. Their code runs meanwhile, and may never end; the process has nothing under way
// yet. Module state, like the activity.

let loads = 0;
const listeners = new Set<() => void>();

export function isLoading(): boolean {
  return loads > 0;
}

/** Calls back at each change, until the returned function is called. */
export function onLoading(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function whileLoading<T>(load: () => Promise<T>): Promise<T> {
  change(1);
  try {
    return await load();
  } finally {
    change(-1);
  }
}

function change(by: 1 | -1): void {
  loads += by;
  for (const tell of listeners) tell();
}
