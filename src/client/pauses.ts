// Pauses over HTTP.

import type { Pauses, PauseTarget } from "../core/api/pauses.ts";
import { PausedAnswer, PausesAnswer } from "../core/api/pause-answers.ts";
import type { Transport } from "./transport.ts";

export function createPauses({ ask }: Transport): Pauses {
  return {
    list: async () => (await ask({ path: "/pauses", answer: PausesAnswer })).body,
    // the answer comes when all workers have confirmed, which may take some of them a while
    async pause(target, options = {}) {
      const body = JSON.stringify({ ...bodyOf(target), ...options });
      return (await ask({ method: "POST", path: "/pauses", body, patient: true, answer: PausedAnswer })).body;
    },
    async unpause(target) {
      await ask({ method: "POST", path: "/pauses/end", body: JSON.stringify(bodyOf(target)), answer: PausesAnswer });
    },
  };
}

function bodyOf(target: PauseTarget): object {
  return target.scope === "all" ? { all: true } : { [target.scope]: target.name };
}
