// Reads the body of an answer, up to a limit: any program may be answering.

/** A task's answer is three to four times as large as its record, which is at most 64 MiB by default. */
const ANSWER_BYTES_MAX = 512 * 1024 * 1024;

/** A fault of an answer, found during or after its arrival. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** Throws AnswerError if the answer breaks off or is too large. `onPiece` is called for each piece. */
export async function readAnswer(
  response: Response,
  onPiece: () => void,
  bytesMax = ANSWER_BYTES_MAX,
): Promise<string> {
  if (!response.body) return "";
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      onPiece();
      bytes += piece.byteLength;
      // leaving the loop cancels the body
      if (bytes > bytesMax) break;
      pieces.push(piece);
    }
  } catch (cause) {
    if (cause instanceof Error && cause.name === "TimeoutError") throw cause;
    throw new AnswerError(`its answer broke off after ${bytes} bytes`, { cause });
  }
  if (bytes > bytesMax) throw new AnswerError(`its answer has more than ${bytesMax} bytes`);
  return new TextDecoder().decode(Buffer.concat(pieces));
}

/** Aborts the request when nothing has arrived for this time. Undefined: never. */
export class Quiet {
  readonly #controller = new AbortController();
  #timer: Timer | undefined;

  constructor(private readonly ms: number | undefined) {
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    if (this.ms === undefined) return;
    this.#timer = setTimeout(() => this.#controller.abort(new DOMException("Nothing came.", "TimeoutError")), this.ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
