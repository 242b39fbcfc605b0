// What a process says, while it says it.

export class Transcript {
  #raw = "";
  #seen = 0;
  #ended = false;
  #more = Promise.withResolvers<void>();
  readonly #decoder = new TextDecoder();

  /** `clean` takes out what is not to be looked at; it is applied to everything said so far. */
  constructor(
    private readonly timeoutMs: number,
    private readonly clean: (raw: string) => string = (raw) => raw,
  ) {}

  get raw(): string {
    return this.#raw;
  }

  get text(): string {
    return this.clean(this.#raw);
  }

  add(chunk: Uint8Array): void {
    this.#raw += this.#decoder.decode(chunk, { stream: true });
    this.#wake();
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Waits for `wanted`, after what the call before waited for. Throws with everything said, where it does not come. */
  async see(wanted: string | RegExp): Promise<RegExpExecArray> {
    const pattern = new RegExp(typeof wanted === "string" ? RegExp.escape(wanted) : wanted, "g");
    const late = Promise.withResolvers<void>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late.resolve();
    }, this.timeoutMs);
    try {
      for (;;) {
        const more = this.#more.promise;
        pattern.lastIndex = this.#seen;
        const found = pattern.exec(this.text);
        if (found) {
          this.#seen = pattern.lastIndex;
          return found;
        }
        if (this.#ended || isLate) throw new Error(`${String(wanted)} did not come. What was said:\n${this.text}`);
        await Promise.race([more, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
