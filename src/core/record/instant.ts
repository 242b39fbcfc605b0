// A point in time in words, as RFC 3339 writes it, with its zone: one without would be another time on another machine.

export type InstantResult =
  | { readonly ok: true; /** Milliseconds since 1970. */ readonly ms: number }
  | { readonly ok: false; readonly message: string };

const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|([+-])(\d\d):?(\d\d))?$/;

const EXAMPLE = "2026-11-24T08:00:00Z, or with an offset such as 2026-11-24T09:00:00+01:00";

/** Seconds and their fraction may be left out; what is beyond the millisecond is cut off. */
export function readInstant(text: string): InstantResult {
  const [, year, month, day, hour, minute, second = "0", fraction = "0", zone, sign, zoneHour = "0", zoneMinute = "0"] =
    FORM.exec(text) ?? [];
  if (year === undefined) return refuse(`expected a time like ${EXAMPLE}, got ${JSON.stringify(text)}`);
  if (zone === undefined) return refuse(`${JSON.stringify(text)} has no time zone: write ${EXAMPLE}`);
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [y, mo, d, h, mi, s] = parts;
  const local = new Date(0);
  // not Date.UTC: it takes the years 0 to 99 for 1900 to 1999
  local.setUTCFullYear(y, mo - 1, d);
  local.setUTCHours(h, mi, s, Number(fraction.padEnd(3, "0").slice(0, 3)));
  // a day or an hour that is not there comes back as the next one that is
  const isThere = local
    .toISOString()
    .startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second.padStart(2, "0")}`);
  if (!isThere || Number(zoneHour) > 23 || Number(zoneMinute) > 59)
    return refuse(`there is no such time: ${JSON.stringify(text)}`);
  const offsetMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return { ok: true, ms: local.getTime() - (sign === "-" ? -offsetMs : offsetMs) };
}

function refuse(message: string): InstantResult {
  return { ok: false, message };
}
