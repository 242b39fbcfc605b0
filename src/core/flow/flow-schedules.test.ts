import { expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "./flow.ts";

/** What is said of a flow with these schedules; nothing where it is one. */
function flowWith(schedules: unknown, input: v.GenericSchema = v.object({ n: v.number() })): string | Flow {
  try {
    return defineFlow({ name: "order", input, schedules, *run() {} } as unknown as Parameters<typeof defineFlow>[0]);
  } catch (error) {
    return (error as Error).message;
  }
}

const GOOD = { name: "nightly", cron: "30 2 * * *", input: { n: 1 } };

test("a schedule says when, in which zone, with what, and how it overlaps and catches up", () => {
  const full = {
    ...GOOD,
    timeZone: "europe/berlin",
    overlap: "cancel-running",
    catchUp: { within: "2h" },
    jitter: "5m",
    priority: 0,
  };
  const flow = flowWith([full, { name: "often", every: "15m", input: { n: 2 } }]) as Flow;
  expect(flow.schedules).toEqual([
    {
      name: "nightly",
      input: { n: 1 },
      terms: {
        cron: "30 2 * * *",
        every_ms: null,
        time_zone: "Europe/Berlin",
        overlap: "cancel-running",
        catch_up: "within",
        catch_up_ms: 7_200_000,
        jitter_ms: 300_000,
        priority: 0,
      },
    },
    {
      name: "often",
      input: { n: 2 },
      terms: {
        cron: null,
        every_ms: 900_000,
        time_zone: "UTC",
        overlap: "skip",
        catch_up: "last",
        catch_up_ms: null,
        jitter_ms: 0,
        priority: 5,
      },
    },
  ]);
  expect((flowWith([{ name: "plain", every: 5000 }], v.object({})) as Flow).schedules[0]?.input).toEqual({});
});

test.each([
  [{}, "schedules must be a list"],
  [[5], "schedules: each is an object"],
  [[{ ...GOOD, tz: "UTC" }], "schedules.0.tz is not an option of a schedule; did you mean timeZone?"],
  [
    [{ name: "a", crn: "0 * * * *", input: { n: 1 } }],
    "schedules.0.crn is not an option of a schedule; did you mean cron?",
  ],
  [
    [{ name: "a", interval: "5m", input: { n: 1 } }],
    "schedules.0.interval is not an option of a schedule; did you mean every?",
  ],
  [[{ name: "a", input: { n: 1 } }], 'schedule a: cron is missing; give cron ("30 2 * * *") or every ("15m")'],
  [[{ ...GOOD, every: "5m" }], "schedule nightly: every contradicts cron: give one of the two"],
  [[{ ...GOOD, name: "1st" }], '"1st" is not a valid name for a schedule'],
  [[{ cron: "@daily", input: { n: 1 } }], "schedules[0]: name is missing"],
  [[GOOD, GOOD], "schedule nightly is there twice"],
  [[{ ...GOOD, cron: "0 0 30 2 *" }], "never fires: there is no such day"],
  [[{ ...GOOD, cron: 5 }], "cron must be a text"],
  [[{ name: "a", every: "10ms", input: { n: 1 } }], "every must be 1 s or more"],
  [[{ name: "a", every: "soon", input: { n: 1 } }], '"soon" is not a valid duration'],
  [
    [{ ...GOOD, timeZone: "Berlin" }],
    'timeZone must be a name of the tz database, got "Berlin"; did you mean Europe/Berlin?',
  ],
  [[{ ...GOOD, timeZone: "+02:00" }], "timeZone must be a name of the tz database"],
  [[{ ...GOOD, overlap: "skp" }], 'overlap must be skip, queue, all or cancel-running, got "skp"; did you mean skip?'],
  [[{ ...GOOD, catchUp: { within: "2h", and: 1 } }], "catchUp must be none, last, or"],
  [[{ ...GOOD, catchUp: { within: "x" } }], '"x" is not a valid duration'],
  [[{ ...GOOD, jitter: "2d" }], "jitter must be at most a day"],
  [
    [{ name: "a", every: "1m", jitter: "2m", input: { n: 1 } }],
    "jitter must be at most a day, and not longer than every",
  ],
  [[{ ...GOOD, priority: 10 }], "priority must be an integer from 0"],
  [[{ ...GOOD, input: { n: 1n } }], "input is no JSON (n: "],
  [[{ ...GOOD, input: { n: 1, more: ["{{firing.Date}}"] } }], "input has {{firing.Date}}, which no firing fills in"],
  [[{ ...GOOD, input: {} }], "input breaks the flow's contract (n: required)"],
])("%p is refused", (schedules, message) => {
  expect(flowWith(schedules)).toContain(message);
});

test("an input may say the time of its firing, which the contract is tried with, and have other braces of its own", () => {
  const input = v.object({ day: v.pipe(v.string(), v.isoDate()), text: v.string() });
  const given = { day: "{{firing.date}}", text: "Dear {{name}}, it is {{ firing.time }}" };
  expect((flowWith([{ ...GOOD, input: given }], input) as Flow).schedules[0]?.input).toEqual(given);
  expect(flowWith([{ ...GOOD, input: { ...given, day: "{{firing.time}}" } }], input)).toContain("breaks the flow's");
});

test("all that is wrong is told at once, and what a wrong key was meant for is not missing as well", () => {
  const message = flowWith([{ name: "a", crn: "x", timeZone: "X", input: { n: 1 } }]);
  expect(message).toStartWith("Flow order: 2 things are wrong: ");
});
