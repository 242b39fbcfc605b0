// Calls that have their own advice instead of "call it in a tool", and calls that are refused only for some uses. Keys
// are paths, like the areas in `pure.ts`. A rule includes everything below its path.

import { randomForPackages } from "../../core/flow/flow-context.ts";
import {
  END_FLOW,
  GIVE_LAST_MODIFIED,
  IMPORT_AT_TOP,
  KEEP_VALUE,
  READ_IN_TOOL,
  USE_NOW,
  USE_OPERATIONS,
  USE_RANDOM,
  USE_SLEEP,
  USE_TOOL,
  USE_UTC,
  USE_UUID,
} from "./advice.ts";
import { giveDate, giveNow, giveTextInUtc, wantsTextWithZone, wantsTime } from "./dates.ts";
import type { Guard, Judge } from "./guard.ts";
import { wantsAbsolutePath, wantsOneAbsolute, wantsTwoAbsolute } from "./paths.ts";
import { markPool } from "./pools.ts";
import {
  rememberWhere,
  wantsDateAndOwnSettings,
  wantsLocale,
  wantsLocaleAndZone,
  wantsOwnSettings,
} from "./formatters.ts";
import { guardStatement } from "./statements.ts";
import { giveFormat, wantsLocaleAfterText, wantsNoError, wantsNoStream, wantsNoTerminal } from "./texts.ts";

type Rule = Omit<Guard, "call">;

/** The rule of a path, or of the nearest path above it. */
export function ruleOf(path: string): Rule {
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
    const prefix = path.slice(0, end);
    if (!Object.hasOwn(RULES, prefix)) continue;
    const rule = RULES[prefix] as string | Judge | Rule;
    return typeof rule === "string" || typeof rule === "function" ? { instead: rule } : rule;
  }
  return { instead: USE_TOOL };
}

/** The paths in an area whose own rule overrides the area's list, without the name of the area. */
export function rulePaths(area: string): readonly string[] {
  return Object.keys(RULES).flatMap((path) => {
    if (area === "") return /^(?:node|bun):|^process\.|^Bun\./.test(path) ? [] : [path];
    return path.startsWith(`${area}.`) ? [path.slice(area.length + 1)] : [];
  });
}

const wantsLastModified: Judge = ([, , options]) =>
  (options as { readonly lastModified?: unknown } | undefined)?.lastModified === undefined
    ? GIVE_LAST_MODIFIED
    : undefined;

/** Without this option the arguments are those of the process. */
const wantsArgs: Judge = ([config]) =>
  (config as { readonly args?: unknown } | undefined)?.args === undefined ? READ_IN_TOOL : undefined;

/** A filled buffer stays marked. */
const FILLS: Rule = {
  instead: USE_UUID,
  after: (result, [view]) => {
    markPool(view);
    return result;
  },
};
const GIVES_BYTES: Rule = {
  instead: USE_UUID,
  after: (result) => {
    markPool(result);
    return result;
  },
};

const RANDOM: Rule = {
  instead: USE_RANDOM,
  answer: () => {
    const value = randomForPackages();
    return value === undefined ? undefined : { value };
  },
};

const FORMATTER: Rule = { instead: wantsLocale, after: rememberWhere(wantsLocale) };

/** A statement made at load has its own methods, not those of a prototype. */
const STATEMENT: Rule = { instead: USE_TOOL, after: guardStatement };

const RULES: Readonly<Record<string, string | Judge | Rule>> = {
  setTimeout: USE_SLEEP,
  setInterval: USE_SLEEP,
  setImmediate: USE_SLEEP,
  queueMicrotask: USE_OPERATIONS,
  FinalizationRegistry: KEEP_VALUE,
  "WeakRef.prototype": KEEP_VALUE,
  File: wantsLastModified,
  "AbortSignal.timeout": USE_SLEEP,
  "Atomics.wait": USE_SLEEP,
  "Atomics.waitAsync": USE_SLEEP,
  "Event.prototype.timeStamp": USE_NOW,
  "Blob.prototype.delete": USE_TOOL,
  "Blob.prototype.exists": USE_TOOL,
  "Blob.prototype.stat": USE_TOOL,
  "Blob.prototype.unlink": USE_TOOL,
  "Blob.prototype.write": USE_TOOL,
  "Blob.prototype.writer": USE_TOOL,

  Date: { instead: wantsTime, answer: giveDate },
  "Date.now": { instead: USE_NOW, answer: giveNow },
  "Date.parse": wantsTextWithZone,
  "Date.prototype": USE_UTC,
  "Date.prototype.toString": { instead: USE_UTC, answer: giveTextInUtc },
  "Date.prototype.toLocaleString": wantsLocaleAndZone,
  "Date.prototype.toLocaleDateString": wantsLocaleAndZone,
  "Date.prototype.toLocaleTimeString": wantsLocaleAndZone,
  performance: USE_NOW,
  Performance: USE_NOW,
  PerformanceObserver: USE_NOW,
  "Temporal.Now": USE_NOW,

  "Number.prototype.toLocaleString": wantsLocale,
  "BigInt.prototype.toLocaleString": wantsLocale,
  "Array.prototype.toLocaleString": wantsLocale,
  "String.prototype.toLocaleLowerCase": wantsLocale,
  "String.prototype.toLocaleUpperCase": wantsLocale,
  "String.prototype.localeCompare": wantsLocaleAfterText,
  "Intl.Collator": FORMATTER,
  "Intl.DisplayNames": FORMATTER,
  "Intl.DurationFormat": FORMATTER,
  "Intl.ListFormat": FORMATTER,
  "Intl.NumberFormat": FORMATTER,
  "Intl.PluralRules": FORMATTER,
  "Intl.RelativeTimeFormat": FORMATTER,
  "Intl.Segmenter": FORMATTER,
  "Intl.DateTimeFormat": { instead: wantsLocaleAndZone, answer: giveFormat, after: rememberWhere(wantsLocaleAndZone) },
  "Intl.DateTimeFormat.prototype.formatToParts": wantsDateAndOwnSettings,
  "Intl.DateTimeFormat.prototype.formatRange": wantsOwnSettings,
  "Intl.DateTimeFormat.prototype.formatRangeToParts": wantsOwnSettings,
  "Intl.DisplayNames.prototype.of": wantsOwnSettings,
  "Intl.DurationFormat.prototype.format": wantsOwnSettings,
  "Intl.DurationFormat.prototype.formatToParts": wantsOwnSettings,
  "Intl.ListFormat.prototype.format": wantsOwnSettings,
  "Intl.ListFormat.prototype.formatToParts": wantsOwnSettings,
  "Intl.NumberFormat.prototype.formatToParts": wantsOwnSettings,
  "Intl.NumberFormat.prototype.formatRange": wantsOwnSettings,
  "Intl.NumberFormat.prototype.formatRangeToParts": wantsOwnSettings,
  "Intl.PluralRules.prototype.select": wantsOwnSettings,
  "Intl.PluralRules.prototype.selectRange": wantsOwnSettings,
  "Intl.RelativeTimeFormat.prototype.format": wantsOwnSettings,
  "Intl.RelativeTimeFormat.prototype.formatToParts": wantsOwnSettings,
  "Intl.Segmenter.prototype.segment": wantsOwnSettings,
  // the only type that is formatted in a zone but has none
  "Temporal.Instant.prototype.toLocaleString": wantsLocaleAndZone,
  "Temporal.Duration.prototype.toLocaleString": wantsLocale,
  "Temporal.PlainDate.prototype.toLocaleString": wantsLocale,
  "Temporal.PlainDateTime.prototype.toLocaleString": wantsLocale,
  "Temporal.PlainMonthDay.prototype.toLocaleString": wantsLocale,
  "Temporal.PlainTime.prototype.toLocaleString": wantsLocale,
  "Temporal.PlainYearMonth.prototype.toLocaleString": wantsLocale,
  "Temporal.ZonedDateTime.prototype.toLocaleString": wantsLocale,

  "Math.random": RANDOM,
  "Crypto.prototype.randomUUID": USE_UUID,
  "Crypto.prototype.getRandomValues": FILLS,

  "process.nextTick": USE_OPERATIONS,
  "process.hrtime": USE_NOW,
  "process.uptime": USE_NOW,
  "process.exit": END_FLOW,
  "process.abort": END_FLOW,
  "process.reallyExit": END_FLOW,
  "process.getBuiltinModule": IMPORT_AT_TOP,

  "Bun.nanoseconds": USE_NOW,
  "Bun.sleep": USE_SLEEP,
  "Bun.sleepSync": USE_SLEEP,
  "Bun.randomUUIDv7": USE_UUID,
  "Bun.peek": USE_OPERATIONS,
  "Bun.color": wantsNoTerminal,
  "Bun.inspect": wantsNoError,
  "Bun.pathToFileURL": wantsAbsolutePath,
  "Bun.Cookie.prototype.isExpired": USE_NOW,

  "bun:sqlite.Database.prototype.prepare": STATEMENT,
  "bun:sqlite.Database.prototype.query": STATEMENT,

  "node:buffer.File": wantsLastModified,
  "node:crypto.getRandomValues": FILLS,
  "node:crypto.randomFill": FILLS,
  "node:crypto.randomFillSync": FILLS,
  "node:crypto.randomBytes": GIVES_BYTES,
  "node:crypto.pseudoRandomBytes": GIVES_BYTES,
  "node:crypto.prng": GIVES_BYTES,
  "node:crypto.rng": GIVES_BYTES,
  "node:path.resolve": wantsOneAbsolute,
  "node:path.relative": wantsTwoAbsolute,
  "node:path/posix.resolve": wantsOneAbsolute,
  "node:path/posix.relative": wantsTwoAbsolute,
  "node:path/win32.resolve": wantsOneAbsolute,
  "node:path/win32.relative": wantsTwoAbsolute,
  "node:perf_hooks": USE_NOW,
  "node:timers": USE_SLEEP,
  "node:timers/promises": USE_SLEEP,
  "node:undici.File": wantsLastModified,
  "node:url.pathToFileURL": wantsAbsolutePath,
  "node:util.parseArgs": wantsArgs,
  "node:util.styleText": wantsNoStream,
  "node:sys.parseArgs": wantsArgs,
  "node:sys.styleText": wantsNoStream,
};
