// Where the user has scrolled to, kept with each entry of the browser's history. The browser itself would scroll before a
// view has its data, when there is nothing to scroll yet.

/** No write into the history until scrolling has stopped for this time. */
const REST_MS = 150;

/** A view that is still shorter than it was after this time stays where it is. */
const WAIT_MS = 5000;

interface Kept {
  readonly y?: number;
}

let stop: (() => void) | undefined;

/** Keeps the place with the current entry. */
export function keepPlace(): void {
  history.replaceState({ y: scrollY } satisfies Kept, "");
}

/** Call it once. */
export function keepScrollPlace(): void {
  history.scrollRestoration = "manual";
  let timer: ReturnType<typeof setTimeout> | undefined;
  addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // on the way back the page is not yet where the entry says
      if (stop === undefined) keepPlace();
    }, REST_MS);
  });
  addEventListener("popstate", () => {
    clearTimeout(timer);
    // a link within the page is not a way back
    if (location.hash === "") goBack();
  });
  goBack();
}

/** Scrolls to where this entry was left, as soon as the page is long enough; not if the user does something before. */
function goBack(): void {
  stop?.();
  const y = (history.state as Kept | null)?.y ?? 0;
  const watch = new ResizeObserver(() => {
    if (document.documentElement.scrollHeight < y + innerHeight) return;
    stop?.();
    scrollTo(0, y);
  });
  const timer = setTimeout(() => stop?.(), WAIT_MS);
  const leave = (): void => stop?.();
  stop = () => {
    stop = undefined;
    watch.disconnect();
    clearTimeout(timer);
    for (const event of INTERRUPTIONS) removeEventListener(event, leave);
  };
  for (const event of INTERRUPTIONS) addEventListener(event, leave, { passive: true });
  watch.observe(document.body);
}

const INTERRUPTIONS = ["wheel", "touchstart", "keydown", "pointerdown"] as const;
