const TRIES_MAX = 200;
const PAUSE_MS = 50;

/** Sends again and again until it has ended: a second signal that comes right after the first one counts as the same. */
export async function insist<T>(send: () => void, ended: Promise<T>): Promise<T> {
  let isOver = false;
  const over = ended.finally(() => {
    isOver = true;
  });
  for (let tries = 0; !isOver && tries < TRIES_MAX; tries++) {
    send();
    await Promise.race([over, Bun.sleep(PAUSE_MS)]);
  }
  return over;
}
