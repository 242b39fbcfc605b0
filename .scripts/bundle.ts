// How the sources become one program. A test checks which modules each command loads.

export const BUNDLE = {
  // A command loads only its own parts. A single file would load at once everything that any part imports from the
  // runtime: sockets, TLS and readline alone take a quarter of the startup time.
  splitting: true,
  // Bytecode saves more than half of the startup time. It requires ES modules: top-level await, `import.meta`.
  format: "esm",
  bytecode: true,
  // Names are kept, and stack frames map to src/*.ts: the log reads file, function and line from the stack.
  minify: { whitespace: true, syntax: true, identifiers: false },
  sourcemap: "inline",
} as const;
