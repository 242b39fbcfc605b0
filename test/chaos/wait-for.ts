const POLL_MS = 100;

/** Asks ten times a second until it gives something; throws with `what` where it does not within `msMax`. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  msMax = 60_000,
): Promise<T> {
  for (const end = performance.now() + msMax; ; await Bun.sleep(POLL_MS)) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`It did not come about within ${msMax / 1000} s: ${what}.`);
  }
}
