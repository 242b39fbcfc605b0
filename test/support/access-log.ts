// A web server's access log as it could be, from a seed: visitors by day and night, a crawler, a burst, lines that are cut,
// and four attackers whose addresses are known.

export const ATTACKERS = {
  scanner: "198.51.100.23",
  "brute force": "203.0.113.99",
  traversal: "192.0.2.66",
  injection: "198.51.100.200",
} as const;

export const BURST_MINUTE = "2026-11-23T14:07:00.000Z";
export const UNREADABLE = 7;

interface AccessLogOptions {
  readonly seed: number;
  /** Of ordinary visitors; attacks and the burst come on top. */
  readonly lines?: number;
}

/** The lines in order of time, each ending with a line break. The same seed gives the same text. */
export function makeAccessLog({ seed, lines = 10_000 }: AccessLogOptions): string {
  const random = createRandom(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const entries: [time: number, line: string][] = [];
  const add = (time: number, ip: string, request: string, status: number, agent: string = pick(AGENTS)): void => {
    const bytes = status === 304 ? "-" : Math.floor(200 + random() * 20_000);
    entries.push([
      time,
      `${ip} - - [${stamp(time)}] "${request} HTTP/1.1" ${status} ${bytes} "${pick(REFERERS)}" "${agent}"`,
    ]);
  };

  for (let i = 0; i < lines; i++) {
    // more by day than by night
    const time = DAY + Math.floor(((random() + random()) / 2) * DAY_MS);
    const isCrawler = random() < 0.05;
    const ip = isCrawler
      ? "66.249.66.1"
      : `10.${Math.floor(random() * 8)}.${Math.floor(random() * 30)}.${1 + Math.floor(random() * 250)}`;
    const path = pick(PATHS);
    const request = path.startsWith("/login") && random() < 0.5 ? `POST ${path}` : `GET ${path}`;
    const status = random() < 0.92 ? 200 : pick([301, 304, 304, 404, 404, 500]);
    add(time, ip, request, status, isCrawler ? CRAWLER : undefined);
  }
  const burst = Date.parse(BURST_MINUTE);
  for (let i = 0; i < 400; i++) add(burst + Math.floor(random() * 60_000), `10.9.0.${1 + (i % 200)}`, "GET /sale", 200);

  const at = (hour: number, second: number): number => DAY + hour * 3_600_000 + second * 1000;
  SCANNED.forEach((path, index) => add(at(3, index), ATTACKERS.scanner, `GET ${path}`, 404, "zgrab/0.x"));
  for (let i = 0; i < 60; i++) add(at(4, i * 2), ATTACKERS["brute force"], "POST /login", 401, "python-requests/2.31");
  for (const target of TRAVERSALS) add(at(5, random() * 60), ATTACKERS.traversal, `GET ${target}`, 400);
  for (const target of INJECTIONS) add(at(6, random() * 60), ATTACKERS.injection, `GET ${target}`, 200, "sqlmap/1.7");
  // somebody who forgot a password, and a search that only looks bad
  for (let i = 0; i < 4; i++) add(at(9, i * 20), "10.1.2.3", "POST /login", 401);
  add(at(9, 200), "10.1.2.3", "GET /search?q=union+square+selection", 200);
  add(at(9, 210), "10.1.2.3", "GET /docs/a..b/index.html", 200);

  const sorted = entries.toSorted(([a], [b]) => a - b).map(([, line]) => line);
  for (let i = 0; i < UNREADABLE; i++)
    sorted.splice(Math.floor(random() * sorted.length), 0, pick(sorted).slice(0, 30));
  return `${sorted.join("\n")}\n`;
}

const DAY = Date.parse("2026-11-23T00:00:00Z");
const DAY_MS = 86_400_000;
const CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const AGENTS = [
  "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0",
  "Mozilla/5.0 (Macintosh) Safari/605.1.15",
  'odd \\"agent\\"',
  "curl/8.5.0",
];
const REFERERS = ["-", "-", "https://example.org/", "https://www.google.com/search?q=shop"];
const PATHS = [
  "/",
  "/",
  "/sale",
  "/login",
  "/cart",
  "/search?q=blue+shoes",
  "/api/items?page=2",
  "/img/logo.svg",
  "/favicon.ico",
  "/docs/%C3%BCber-uns",
];
const SCANNED = [
  "/.env",
  "/.git/config",
  "/wp-login.php",
  "/wp-admin/setup.php",
  "/phpmyadmin/",
  "/cgi-bin/test",
  "/actuator/env",
  "/server-status",
];
const TRAVERSALS = [
  "/static/../../etc/passwd",
  "/download?file=..%2f..%2f..%2fetc%2fpasswd",
  "/img/%252e%252e/%252e%252e/secret",
];
const INJECTIONS = [
  "/items?id=1%20UNION%20SELECT%20password%20FROM%20users",
  "/items?id=1'+or+'1'='1",
  "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `23/Nov/2026:14:07:00 +0000` */
function stamp(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
}

/** mulberry32: 0 to 1, from a 32-bit seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
