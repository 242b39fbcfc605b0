// What a flow should use instead of a refused call.

export const USE_NOW = "Use `now()`: the recorded time of the last observation, the same on every replay.";
export const USE_RANDOM =
  "Use `random()`: it is drawn from the task and the place in the flow, the same on every replay.";
export const USE_UUID =
  "Use `uuid()` or `random()`: they are drawn from the task and the place in the flow, the same on every replay.";
export const USE_SLEEP = 'Use `yield* sleep("30s")`: a recorded step that survives a restart.';
export const USE_TOOL = "Call it in a tool, and the tool with `yield* call(tool, input)`: then its result is recorded.";
export const USE_OPERATIONS = "Only operations carry on a flow: `yield* call(…)`, `yield* all(…)`, `yield* sleep(…)`.";
export const END_FLOW = "A flow ends by returning its output or by throwing.";
export const USE_UTC =
  "It depends on the time zone of the machine: use the UTC form, or give a time with its zone (`…Z`).";
export const GIVE_LOCALE = 'It depends on the locale of the machine: give the locale, such as "en".';
export const GIVE_LOCALE_AND_ZONE = 'It depends on the machine: give the date, the locale and `{ timeZone: "UTC" }`.';
export const IMPORT_AT_TOP = "Import the module at the top of the file.";
export const KEEP_VALUE = "When memory is collected differs from run to run: keep the value itself.";
export const GIVE_ABSOLUTE_PATH = "It depends on the current folder: give an absolute path.";
export const GIVE_LAST_MODIFIED = "It takes the time of now: give `{ lastModified: … }`, such as `now()`.";
export const GIVE_NO_STREAM = "It depends on the terminal: give `{ validateStream: false }`.";
export const READ_PLACE_IN_TOOL =
  "It differs from machine to machine: take it from the flow's input, or read it in a tool and give it on as its output.";
export const READ_IN_TOOL =
  "It differs from process to process: take it from the flow's input, or read it in a tool and give it on as its output.";

/** A package's own way to say UTC. The line of the flow shows the package's function, not the call that is refused. */
const IN_UTC: Readonly<Record<string, string>> = {
  "date-fns": "give it a `UTCDate` of the package @date-fns/utc.",
  dayjs: "use `dayjs.utc(…)` of its plugin utc.",
  luxon: 'give it `{ zone: "utc" }`.',
  moment: "use `moment.utc(…)`.",
};

/** What to use instead, if the call is in that package. */
export function adviceIn(name: string | undefined, advice: string): string {
  const own = name !== undefined && advice === USE_UTC && Object.hasOwn(IN_UTC, name) ? IN_UTC[name] : undefined;
  return own === undefined ? advice : `It depends on the time zone of the machine: ${own}`;
}
