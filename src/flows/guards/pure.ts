// What a flow may use from the language and the runtime. Everything else is refused, also what later versions add.
//
// An area is an object, named by its path: "" for the globals, "Math", "Date.prototype", "Bun", "node:crypto". It lists
// the names whose result depends only on their arguments. A name includes everything below it (its members, and those
// of its instances), unless it is itself an area. `*`: every name in the area.
// Calls that depend on their arguments (`new Date(5)`, `new Date()`) are in `rules.ts`, which overrides this list.

export const PURE: Readonly<Record<string, string>> = {
  // language
  "": `
    Infinity NaN undefined global globalThis self eval isFinite isNaN parseFloat parseInt escape unescape
    decodeURI decodeURIComponent encodeURI encodeURIComponent atob btoa structuredClone
    Object Function Boolean Symbol Number BigInt String RegExp Array Map Set WeakMap WeakSet WeakRef Proxy Reflect JSON Promise Iterator
    Date Math Intl Temporal Atomics WebAssembly
    ArrayBuffer SharedArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array
    Float16Array Float32Array Float64Array BigInt64Array BigUint64Array
    Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError
    DisposableStack AsyncDisposableStack
    AbortController AbortSignal Blob BuildError BuildMessage Buffer ByteLengthQueuingStrategy CloseEvent CompressionStream
    CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream ErrorEvent Event EventTarget File FormData
    HTMLRewriter Headers MessageEvent Performance ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
    ReadableStreamDefaultController ReadableStreamDefaultReader Request ResolveError ResolveMessage Response SubtleCrypto TextDecoder
    TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern
    URLSearchParams WritableStream WritableStreamDefaultController WritableStreamDefaultWriter
    Bun process console crypto performance navigator clearImmediate clearInterval clearTimeout removeEventListener onerror onmessage`,
  Math: `
    E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos acosh asin asinh atan atan2 atanh cbrt ceil clz32 cos cosh exp expm1 f16round
    floor fround hypot imul log log10 log1p log2 max min pow round sign sin sinh sqrt sumPrecise tan tanh trunc`,
  Date: "UTC",
  "Date.prototype": `
    getTime setTime valueOf toISOString toJSON toUTCString toGMTString toTemporalInstant
    getUTCDate getUTCDay getUTCFullYear getUTCHours getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds
    setUTCDate setUTCFullYear setUTCHours setUTCMilliseconds setUTCMinutes setUTCMonth setUTCSeconds`,
  Intl: `
    Collator DateTimeFormat DisplayNames DurationFormat ListFormat Locale NumberFormat PluralRules RelativeTimeFormat Segmenter
    getCanonicalLocales supportedValuesOf`,
  Temporal: "Duration Instant Now PlainDate PlainDateTime PlainMonthDay PlainTime PlainYearMonth ZonedDateTime",
  "Temporal.Now": "",
  Atomics: "add and compareExchange exchange isLockFree load or pause store sub xor",
  "WeakRef.prototype": "",
  URL: "canParse parse revokeObjectURL",
  AbortSignal: "abort any",
  Crypto: "",
  "Crypto.prototype": "subtle timingSafeEqual",
  SubtleCrypto: "",
  "SubtleCrypto.prototype": "",
  Performance: "",
  "Performance.prototype": "",
  performance: "",
  navigator: "",

  // runtime; `console` prints, like `log()`, and so do the streams
  process: `
    allowedNodeEnvironmentFlags arch assert browser config emitWarning features isBun platform release revision version versions
    stderr stdin stdout`,
  Bun: `
    ArrayBufferSink Cookie CookieMap CryptoHasher MD4 MD5 SHA1 SHA224 SHA256 SHA384 SHA512 SHA512_256 Transpiler
    JSON5 JSONC JSONL TOML XML YAML allocUnsafe color concatArrayBuffers deepEquals deepMatch deflateSync escapeHTML
    fileURLToPath gunzipSync gzipSync hash indexOfLine inflateSync inspect isMainThread isStandaloneExecutable markdown randomUUIDv5
    readableStreamToArray readableStreamToArrayBuffer readableStreamToBlob readableStreamToBytes readableStreamToFormData
    readableStreamToJSON readableStreamToText revision semver sha shrink sliceAnsi stringWidth stripANSI version version_with_sha
    stderr stdin stdout wrapAnsi zstdCompressSync zstdDecompressSync`,

  // modules
  "bun:jsc": "deserialize serialize",
  "node:assert": "*",
  "node:assert/strict": "*",
  "node:async_hooks": "AsyncLocalStorage AsyncResource",
  "node:buffer": "*",
  "node:console": "*",
  "node:constants": "*",
  "node:crypto": `
    Cipheriv Decipheriv Hash Hmac KeyObject Verify X509Certificate constants createCipheriv createDecipheriv createHash createHmac
    createPrivateKey createPublicKey createSecretKey createVerify getCipherInfo getCiphers getCurves getHashes hash hkdfSync
    pbkdf2Sync privateDecrypt publicDecrypt scryptSync subtle timingSafeEqual verify webcrypto`,
  "node:events": "*",
  "node:http": "METHODS STATUS_CODES validateHeaderName validateHeaderValue",
  "node:http2": "constants getDefaultSettings getPackedSettings getUnpackedSettings sensitiveHeaders",
  "node:module": "Module SourceMap _cache _extensions _pathCache builtinModules constants isBuiltin wrap",
  "node:net": "isIP isIPv4 isIPv6",
  "node:os": "constants devNull EOL",
  "node:path": "*",
  "node:path/posix": "*",
  "node:path/win32": "*",
  // its members are those of the global `process`
  "node:process": "*",
  "node:punycode": "*",
  "node:querystring": "*",
  "node:stream": "*",
  "node:stream/consumers": "*",
  "node:stream/promises": "*",
  "node:stream/web": "*",
  "node:_stream_duplex": "*",
  "node:_stream_passthrough": "*",
  "node:_stream_readable": "*",
  "node:_stream_transform": "*",
  "node:_stream_wrap": "*",
  "node:_stream_writable": "*",
  "node:string_decoder": "*",
  "node:sys": "*",
  "node:timers": "clearImmediate clearInterval clearTimeout",
  "node:undici": "FormData Headers Request Response errors mockErrors parseMIMEType serializeAMimeType util",
  "node:url": "*",
  "node:util": "*",
  "node:util/types": "*",
  "node:v8": "DefaultDeserializer DefaultSerializer Deserializer Serializer deserialize serialize",
  "node:zlib": `
    brotliCompressSync brotliDecompressSync codes constants crc32 deflateRawSync deflateSync gunzipSync gzipSync inflateRawSync
    inflateSync unzipSync zstdCompressSync zstdDecompressSync`,

  // packages that make ids, and keep random bytes
  "npm:@paralleldrive/cuid2": "getConstants isCuid",
  "npm:cuid": "isCuid isSlug",
  "npm:hyperid": "",
  "npm:nanoid": "customRandom urlAlphabet",
  "npm:short-uuid": "constants validate",
  "npm:shortid": "isValid",
  "npm:typeid-js": "fromString fromUUID fromUUIDBytes getSuffix getType parseTypeId toUUID toUUIDBytes",
  "npm:ulid": "decodeTime encodeTime fixULIDBase32 incrementBase32 isValid ulidToUUID uuidToULID",
  "npm:ulidx": "decodeTime encodeTime fixULIDBase32 incrementBase32 isValid ulidToUUID uuidToULID",
  "npm:uuid": "MAX NIL parse stringify v1ToV6 v3 v5 v6ToV1 validate version",
  "npm:uuidv7": "UUID",
};

/** Module classes whose instances, if made at load, act or return data at once: all of their methods, or these. */
export const INSTANCES: Readonly<Record<string, string>> = {
  "bun:sqlite.Database": "*",
  "bun:sqlite.Statement": "*",
  "node:dgram.Socket": "bind connect send",
  "node:net.Socket": "connect end write",
  "node:sqlite.DatabaseSync": "*",
  "node:sqlite.StatementSync": "*",
  "node:vm.Script": "*",
};

/** Members that cannot be guarded, or only at too high a price. `bun` itself is covered: `bun.ts` guards it. */
export const LEFT: Readonly<Record<string, string>> = {
  "process.exitCode": "is final",
  "node:crypto.fips": "is final",
  "process.finalization": "made when it is looked at, which takes longer than all guards of `process` together",
  "bun:test": "is only there in Bun's own test runner",
};
