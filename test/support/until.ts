const MS_MAX = 10_000;

/** Asks again, as soon as others have had their turn, until it holds; throws where it does not within 10 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + MS_MAX;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error("It did not come to hold.");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
