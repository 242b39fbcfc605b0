// Random texts and hashes, without `node:crypto`: every command would wait for that to load.

/** 256 random bits, as text. */
export function randomSecret(): string {
  return Buffer.from(randomBytes(32)).toString("base64url");
}

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** SHA-256, as hexadecimal digits. */
export function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
