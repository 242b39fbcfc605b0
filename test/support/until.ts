// The one way in which a test waits for what comes about in its own time, here or in another process.

/** Only what goes wrong takes so long: no test tells right from wrong by it. One that does says its own limit, and why. */
const MS_MAX = 45_000;

/** After so many looks there is a pause between two. */
const LOOKS = 20;
const PAUSE_MS = { min: 5, max: 250 };

/** Who takes long to ask is asked seldom: the pauses are so many times as long as the last look. */
const PAUSE_PER_LOOK = 5;

/**
 * Asks, and again as soon as others have had their turn, until it is given neither false nor undefined; gives that. Throws
 * where that does not come about within `msMax` (45 s), and says what did not.
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  what = String(ask),
  msMax = MS_MAX,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + msMax;
  for (let looks = 1; ; looks++) {
    const asked = performance.now();
    const found = await ask();
    if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
    const now = performance.now();
    if (now > end) throw new Error(`It did not come about within ${msMax / 1000} s: ${what}`);
    if (looks < LOOKS) await new Promise((resolve) => setImmediate(resolve));
    else await Bun.sleep(Math.min(Math.max(PAUSE_MS.min, PAUSE_PER_LOOK * (now - asked)), PAUSE_MS.max));
  }
}
