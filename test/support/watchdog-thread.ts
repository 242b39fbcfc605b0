// The thread of a Watchdog (`watchdog.ts`).

import { writeSync } from "node:fs";
import type { Watched } from "./watchdog.ts";

let timer: NodeJS.Timeout | undefined;

addEventListener("message", ({ data }: MessageEvent<Watched | null>) => {
  clearTimeout(timer);
  if (data === null) return;
  const { what, msMax } = data;
  timer = setTimeout(() => {
    writeSync(2, `\nerror: It did not end within ${msMax / 1000} s: ${what}\n`);
    process.kill(process.pid, "SIGKILL");
  }, msMax);
});
postMessage("ready");
