// Counts wrong tokens by address: after a few, each further attempt has to wait longer. Nobody can guess a secret of
// 256 random bits, but a token that a person has chosen may be guessed.

/** Wrong attempts without a wait: a typing error costs nothing. */
const FREE = 5;

const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 60_000;

/** An address is forgotten after this time without an attempt. */
const QUIET_MS = 15 * 60_000;

/** The largest number of remembered addresses. Beyond it the ones with the oldest attempts are forgotten. */
const ADDRESSES_MAX = 10_000;

interface Wrong {
  readonly count: number;
  readonly at: number;
}

export class Attempts {
  /** In the order of the last wrong attempts. */
  readonly #wrong = new Map<string, Wrong>();

  constructor(private readonly now: () => number = Date.now) {}

  /** How many milliseconds the address has to wait before its next attempt; 0: it may try now. */
  waitMs(address: string | undefined): number {
    const wrong = this.#wrong.get(networkOf(address));
    if (!wrong || wrong.count < FREE) return 0;
    const wait = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(wrong.count - FREE, 10));
    return Math.max(0, wrong.at + wait - this.now());
  }

  noteWrong(address: string | undefined): void {
    const key = networkOf(address);
    const now = this.now();
    const before = this.#wrong.get(key);
    const count = before && now - before.at < QUIET_MS ? before.count : 0;
    this.#wrong.delete(key);
    this.#wrong.set(key, { count: count + 1, at: now });
    for (const [oldest] of this.#wrong) {
      if (this.#wrong.size <= ADDRESSES_MAX) break;
      this.#wrong.delete(oldest);
    }
  }

  noteRight(address: string | undefined): void {
    this.#wrong.delete(networkOf(address));
  }

  /** The number of remembered addresses. */
  get size(): number {
    return this.#wrong.size;
  }
}

/** The owner of one IPv6 address has 2^64 of them, so the whole network counts. */
function networkOf(address: string | undefined): string {
  if (address === undefined) return "";
  const plain = address.replace(/^::ffff:/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length);
  return [...groups, ...Array.from({ length: missing }, () => "0"), ...last].slice(0, 4).join(":");
}
