import { expect, test } from "bun:test";
import { getTask } from "./commands/get-task.ts";
import { runApp } from "./commands/run-app.ts";
import { runTask } from "./commands/run-task.ts";
import type { Env } from "./io.ts";
import { flows } from "./commands/flows.ts";
import { validate } from "./commands/validate.ts";
import { resolveSettings } from "./settings.ts";

function resolve(flags: Record<string, string>, env: Env = {}, command = runTask) {
  return resolveSettings(command, new Map(Object.entries(flags)), env);
}

test("without flags and environment the defaults hold, one-shot commands log from warn", () => {
  expect(resolve({})).toEqual({
    databaseUrl: undefined,
    apiBaseUrl: undefined,
    apiToken: undefined,
    makesDatabase: false,
    flows: [],
    loadsFlows: true,
    logLevel: "warn",
    logStyle: "json",
  });
  expect(resolve({}, {}, runApp).logLevel).toBe("info");
});

test("a flag beats the environment, and an empty variable is none", () => {
  const env = {
    DATABASE_URL: "sqlite:env.db",
    LOG_LEVEL: "ERROR",
    LOG_STYLE: "logster",
    TASKONAUT_API_TOKEN: "",
    TASKONAUT_API_URL: "",
  };
  expect(resolve({}, env)).toMatchObject({
    databaseUrl: "sqlite:env.db",
    apiBaseUrl: undefined,
    apiToken: undefined,
    logLevel: "error",
    logStyle: "logster",
  });
  expect(resolve({ "database-url": "sqlite:flag.db", "log-level": "debug" }, env)).toMatchObject({
    databaseUrl: "sqlite:flag.db",
    logLevel: "debug",
  });
  expect(resolve({ logster: "" }, { LOG_STYLE: "json" }).logStyle).toBe("logster");
});

test("the log is for people where a person reads it, unless they say otherwise", () => {
  const atTerminal = (flags: Record<string, string>, env: Env = {}) =>
    resolveSettings(runTask, new Map(Object.entries(flags)), env, undefined, { logsAtTerminal: true }).logStyle;
  expect(atTerminal({})).toBe("human");
  expect(atTerminal({ logster: "" })).toBe("logster");
  expect(atTerminal({}, { LOG_STYLE: "json" })).toBe("json");
  expect(resolve({}, { LOG_STYLE: "human" }).logStyle).toBe("human");
});

test("a typed address beats the other kind's variable; typing both is refused", () => {
  const env = { DATABASE_URL: "sqlite:env.db", TASKONAUT_API_URL: "http://env:1" };
  expect(resolve({ "database-url": "sqlite:x" }, env)).toMatchObject({
    databaseUrl: "sqlite:x",
    apiBaseUrl: undefined,
  });
  expect(resolve({ "api-base-url": "http://x:1" }, env)).toMatchObject({
    databaseUrl: undefined,
    apiBaseUrl: "http://x:1",
  });
  expect(() => resolve({ "database-url": "sqlite:x", "api-base-url": "http://x:1" })).toThrow(
    /contradicts --database-url/,
  );
});

test("a command that works on the database takes no API address", () => {
  expect(resolve({}, { TASKONAUT_API_URL: "http://env:1" }, runApp).apiBaseUrl).toBeUndefined();
  expect(() => resolve({ "api-base-url": "http://x:1" }, {}, runApp)).toThrow(/run-app works on a database/);
});

test("every violation is told at once, each with the flag or variable it came from", () => {
  let thrown: unknown;
  try {
    resolve({ "log-level": "loud", "api-base-url": "ftp://x" }, { LOG_STYLE: "xml" });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    code: "usage",
    errors: [
      { path: "--api-base-url", message: 'expected a URL like http://127.0.0.1:8000, got "ftp://x"' },
      { path: "--log-level", message: 'expected error, warn, info, debug, got "loud"' },
      { path: "LOG_STYLE", message: 'expected json, human, logster, got "xml"' },
    ],
  });
});

test("flows may be given more than once, but not for a server, which has its own", () => {
  const lists = new Map([["flows", ["a.ts", "b"]]]);
  expect(resolveSettings(runTask, new Map(), {}, lists).flows).toEqual(["a.ts", "b"]);
  expect(() => resolveSettings(runTask, new Map([["api-base-url", "http://127.0.0.1:1"]]), {}, lists)).toThrow(
    "--flows: contradicts --api-base-url",
  );
});

test("flows are refused as well where only the environment names a server, unless a database is given", () => {
  const lists = new Map([["flows", ["a.ts"]]]);
  const env = { TASKONAUT_API_URL: "http://127.0.0.1:1" };
  expect(() => resolveSettings(runTask, new Map(), env, lists)).toThrow(
    "--flows: means nothing to the server that TASKONAUT_API_URL names",
  );
  const flags = new Map([["database-url", "sqlite:x"]]);
  expect(resolveSettings(runTask, flags, env, lists).flows).toEqual(["a.ts"]);
  expect(resolveSettings(getTask, new Map(), env, lists).apiBaseUrl).toBe("http://127.0.0.1:1");
  expect(resolveSettings(flows, new Map(), env, lists).flows).toEqual(["a.ts"]);
});

test("a command that works on files takes no database and no server, and the environment's do not matter to it", () => {
  expect(() => resolve({ "database-url": "sqlite:x" }, {}, validate)).toThrow("means nothing to validate");
  expect(() => resolve({ "api-base-url": "http://x" }, {}, validate)).toThrow("means nothing to validate");
  expect(resolve({}, { TASKONAUT_API_URL: "http://127.0.0.1:1" }, validate).apiBaseUrl).toBeUndefined();
});

test("flows are the server's, unless files are named", () => {
  const env = { TASKONAUT_API_URL: "http://127.0.0.1:1" };
  const lists = new Map([["flows", ["a.ts"]]]);
  expect(resolve({}, env, flows).apiBaseUrl).toBe("http://127.0.0.1:1");
  expect(resolveSettings(flows, new Map(), env, lists).apiBaseUrl).toBeUndefined();
  expect(() => resolveSettings(flows, new Map([["api-base-url", "http://x"]]), env, lists)).toThrow(
    "--flows: contradicts --api-base-url",
  );
});
