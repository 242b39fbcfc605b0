/** For what another process brings about in its own time; fails after five seconds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 5000; !(await holds()); await Bun.sleep(10)) {
    if (Date.now() > deadline) throw new Error("It did not come about within 5 s.");
  }
}
