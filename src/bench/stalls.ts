// For how long the event loop did not turn while something was measured: so long a signal or a request would have waited.

const TICK_MS = 5;

export interface StallWatch {
  /** Ends it. Gives the longest stall in milliseconds. */
  end(): number;
}

export function watchStalls(now: () => number = () => performance.now()): StallWatch {
  let longest = 0;
  let last = now();
  const look = (): void => {
    const at = now();
    longest = Math.max(longest, at - last - TICK_MS);
    last = at;
  };
  const timer = setInterval(look, TICK_MS);
  return {
    end() {
      clearInterval(timer);
      look(); // one that goes on still
      return longest;
    },
  };
}
