import { version } from "../package.json" with { type: "json" };
import type { VersionInfo } from "./cli/wiring.ts";

/** Put in by the build; absent when the program runs from its sources. */
declare const BUILD_COMMIT: string | undefined;

/** What this program is: what `--version` prints. */
export const VERSION: VersionInfo = {
  version,
  commit: typeof BUILD_COMMIT === "undefined" ? "unknown" : BUILD_COMMIT,
  bun: Bun.version,
};
