// Before any test file is loaded (bunfig.toml).

import { afterAll } from "bun:test";
import { enterFinally } from "../../src/core/flow/shield.ts";
import { FINALLY_KEY, markFinally } from "../../src/flows/mark-finally.ts";
import { doAtEnd } from "./at-end.ts";

// What a developer's shell happens to hold must not reach the program under test.
for (const name of Object.keys(process.env)) {
  if (/^(DATABASE_URL|LOG_LEVEL|LOG_STYLE|NO_COLOR|FORCE_COLOR|XDG_DATA_HOME|TASKONAUT_.*)$/.test(name)) {
    delete process.env[name];
  }
}

// Flows of tests are marked as the loader marks those of users.
Reflect.set(globalThis, Symbol.for(FINALLY_KEY), enterFinally);
Bun.plugin({
  name: "finally blocks of tests",
  setup(build) {
    build.onLoad({ filter: /\/test\/(engine|sim|support)\/[^/]+\.ts$/ }, async ({ path }) => ({
      contents: markFinally(await Bun.file(path).text()),
      loader: "ts",
    }));
  },
});

afterAll(doAtEnd);
