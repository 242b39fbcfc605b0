/** A handler that starts what takes a while. What it throws is a fault of the page: it is told in the console. */
export function inBackground(work: () => Promise<void>): () => void {
  return () => {
    work().catch(reportError);
  };
}
