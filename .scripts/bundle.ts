// How the sources become one program. A test looks at what every command loads.

export const BUNDLE = {
  // A command loads only its own parts. In one file, whatever any part imports of the runtime would be loaded at once:
  // sockets, TLS and readline alone cost a quarter of the start.
  splitting: true,
  // Bytecode saves more than half of the start. It wants ES modules: top-level await, `import.meta`.
  format: "esm",
  bytecode: true,
  // Names stay, and frames map to src/*.ts: the log's file, function and line are read from the stack.
  minify: { whitespace: true, syntax: true, identifiers: false },
  sourcemap: "inline",
} as const;
