// The longest time that the event loop did not turn during a measurement: a signal would have waited as long.

const TICK_MS = 5;

export interface StallWatch {
  /** Ends the watch. Returns the longest stall in milliseconds. */
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
      look(); // includes a stall that has not ended
      return longest;
    },
  };
}
