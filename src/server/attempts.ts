// Counts wrong tokens by address: after a few of them, each further attempt has to wait longer. Nobody can guess a secret of
// 256 random bits, but a token that a person has chosen may be guessed.

/** Wrong attempts that cost nothing: whoever mistypes one is not held up. */
const FREE = 5;

const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 60_000;

/** An address is forgotten when it was quiet for so long. */
const QUIET_MS = 15 * 60_000;

/** Addresses that are remembered at most; then those that were quiet for longest are forgotten. */
const ADDRESSES_MAX = 10_000;

interface Wrong {
  readonly count: number;
  readonly at: number;
}

export class Attempts {
  /** In the order of their last wrong attempt. */
  readonly #wrong = new Map<string, Wrong>();

  constructor(private readonly now: () => number = Date.now) {}

  /** How long the address has to wait before it may try again, in milliseconds; 0: it may now. */
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

  /** Of addresses that are remembered. */
  get size(): number {
    return this.#wrong.size;
  }
}

/** Who has an address of IPv6 has 2^64 of them. */
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
