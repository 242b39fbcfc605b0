// How `run-app` ends; the worker inside it: work.test.ts.

import { expect, mock, test } from "bun:test";
import { Signals } from "../../../test/support/cli.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import type { Wiring } from "../wiring.ts";

const SERVER = {
  url: "http://127.0.0.1:9",
  location: "sqlite:x.db",
  flows: ["echo_add", "order"],
  worker: undefined,
};

test("run-app serves until a signal comes, then stops the server", async () => {
  const signals = new Signals();
  const asked: unknown[] = [];
  const stop = mock(async () => {});
  const startServer: Wiring["startServer"] = async (options) => {
    asked.push(options);
    setImmediate(() => signals.send());
    return { ...SERVER, stop };
  };
  const { code, settings } = await cli(["run-app", "--port", "9", "--insecure"], { wiring: { startServer } }, signals);
  expect(code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
  expect(asked).toEqual([{ host: "127.0.0.1", port: 9, insecure: true, worker: { concurrency: 100 } }]);
  expect(settings?.logLevel).toBe("info");
});

test("run-app ends in good order when its supervisor dismisses it", async () => {
  const stop = mock(async () => {});
  const startServer: Wiring["startServer"] = async () => ({ ...SERVER, stop });
  expect((await cli(["run-app"], { wiring: { startServer }, dismissed: true })).code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
});

test("a second signal ends run-app at once with 130", async () => {
  const signals = new Signals();
  const startServer: Wiring["startServer"] = async () => {
    setImmediate(() => signals.send());
    return {
      ...SERVER,
      stop: () => {
        signals.send();
        return new Promise(() => {});
      },
    };
  };
  expect((await cli(["run-app"], { wiring: { startServer } }, signals)).code).toBe(130);
});

test("run-app --reload is supervised until a signal comes", async () => {
  const signals = new Signals();
  const superviseServer: Wiring["superviseServer"] = (_options, signal) => {
    setImmediate(() => signals.send());
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
  };
  expect((await cli(["run-app", "--reload"], { wiring: { superviseServer } }, signals)).code).toBe(0);
});
