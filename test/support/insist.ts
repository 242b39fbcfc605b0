const TRIES_MAX = 200;
const PAUSE_MS = 50;

/** Sends again and again until it has ended: a second signal that comes right after the first one counts as the same. */
export async function insist<T>(send: () => void, ended: Promise<T>): Promise<T> {
  const over = ended.then(() => true);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    send();
    if (await Promise.race([over, Bun.sleep(PAUSE_MS)])) break;
  }
  return ended;
}
