// Flow files in the process of a test's runner, which imports them by itself: when it loads a file of tests, all that the
// file imports is prepared first, as the loader prepares it in production.

import { refuseDropped } from "./dropped.ts";
import { guardPackage } from "./guards/packages.ts";
import { provideRewritten, withMarks } from "./rewritten.ts";
import { loaderOf, readSources } from "./sources.ts";
import { refuseTsconfigOptions } from "./tsconfig.ts";

/** As the runner finds them. */
const TEST_FILE = /[._](?:test|spec)\.m?[jt]sx?$/;

/** Whatever a file that is imported from a file of tests must not have, the runner tells as an error of that file. */
export function provideTested(): void {
  Bun.plugin({
    name: "taskonaut: files of tests",
    setup(build) {
      build.onLoad({ filter: TEST_FILE }, async ({ path }) => {
        const { sources, idPackages } = readSources(path);
        for (const source of sources) {
          if (!source.isOwn) continue;
          refuseTsconfigOptions(source);
          refuseDropped(source.path, source.text);
          if (source.path !== path) provideRewritten(source);
        }
        for (const [package_, name] of idPackages) await guardPackage(name, package_);
        // it may define flows as well; its own `Bun` it has as it is, for it may want to spy on that
        return { contents: withMarks(sources[0]?.text ?? ""), loader: loaderOf(path) };
      });
    },
  });
}
