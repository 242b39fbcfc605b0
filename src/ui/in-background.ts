/** Returns a handler that starts slow work. If the work throws, that is a bug in the page, and the console shows it. */
export function inBackground(work: () => Promise<void>): () => void {
  return () => {
    work().catch(reportError);
  };
}
