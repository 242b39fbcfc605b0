// Reading what a user's code has thrown or returned: a getter may throw, and so may a Proxy at whatever is done with it.

/** Undefined where it cannot be read. */
export function read<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

/** Undefined where it cannot be read as a text. */
export function asText(get: () => unknown): string | undefined {
  return read(() => String(get()));
}

/** Whether it is an object, and no list; functions are none. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !read(() => Array.isArray(value));
}
