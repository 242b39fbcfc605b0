// Times and names for people.

/** `12 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `5 s ago`, `in 2 h`: one unit is enough. */
export function age(time: string, now: number): string {
  const ms = now - Date.parse(time);
  const size = Math.abs(ms);
  if (size < 1000) return "now";
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ] as const;
  const [unit, name] = units.find(([each]) => size >= each) ?? [1000, "s"];
  const text = `${Math.floor(size / unit)} ${name}`;
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

/** In the user's time zone, to the second. */
export function clockTime(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** The end of an id. A version 7 id begins with the time, so only the end differs between tasks of the same moment. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}
