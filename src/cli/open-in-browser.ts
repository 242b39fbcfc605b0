// Opens an address in the browser of the person at this machine.

import { messageOf } from "../core/record/stored-error.ts";
import type { Env } from "./io.ts";

/** Undefined if the browser was started; else the reason why not. It does not wait for the browser, which outlives it. */
export function openInBrowser(address: string, env: Env): string | undefined {
  const command = commandFor(env);
  if (typeof command === "string") return command;
  try {
    const child = Bun.spawn([...command, address], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    child.unref();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The command that opens an address, or the reason why there is none. BROWSER comes first, as in other programs. */
function commandFor(env: Env): readonly string[] | string {
  const own = env["BROWSER"];
  if (own !== undefined && own !== "") return [own];
  switch (process.platform) {
    case "darwin":
      return ["open"];
    case "win32":
      return ["explorer"];
    default:
      if (!env["DISPLAY"] && !env["WAYLAND_DISPLAY"]) return "there is no display here.";
      return Bun.which("xdg-open") === null ? "there is no xdg-open here." : ["xdg-open"];
  }
}
