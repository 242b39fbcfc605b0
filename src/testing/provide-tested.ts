// Flow files in the process of a test's runner, which imports them by itself: when it loads a file of tests, all that the
// file imports is prepared first, as the loader prepares it in production.

import { prepareSources } from "../flows/prepare.ts";
import { provideRewritten, withMarks } from "../flows/rewritten.ts";
import { loaderOf, readSources, type Source } from "../flows/sources.ts";
import { withUsersLines } from "./own-lines.ts";

/** As the runner finds them, but for CommonJS. */
const TEST_FILE = /[._](?:test|spec)\.m?[jt]sx?$/;

/** Whatever a file that is imported from a file of tests must not have, the runner tells as an error of that file. */
export function provideTested(): void {
  Bun.plugin({
    name: "taskonaut: files of tests",
    setup(build) {
      build.onLoad({ filter: TEST_FILE }, async ({ path }) => {
        const found = readSources(path);
        const rewrite = (source: Source): void => (source.path === path ? undefined : provideRewritten(source));
        await prepareSources(found, rewrite).catch((error: unknown) => Promise.reject(withUsersLines(error)));
        // it may define flows as well; its own `Bun` it has as it is, for it may want to spy on that
        return { contents: withMarks(found.sources[0]?.text ?? ""), loader: loaderOf(path) };
      });
    },
  });
}
