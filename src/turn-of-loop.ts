/**
 * Resolves in a later turn of the event loop: sockets, timers and signals have had theirs by then. A loop that only awaits
 * what is there already keeps all of them waiting, however many promises it has in between.
 */
export function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
