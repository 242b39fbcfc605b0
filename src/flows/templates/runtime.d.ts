// A little of what the runtime has, for tools: enough to start with. For all of it install @types/bun beside the flows,
// add "bun" to `types` in tsconfig.json, and take this file out of `include` there.

declare module "node:fs/promises" {
  export function readFile(path: string, encoding: "utf8"): Promise<string>;
  export function writeFile(path: string, text: string): Promise<void>;
  export function rename(from: string, to: string): Promise<void>;
  export function mkdir(path: string, options?: { recursive?: boolean }): Promise<string | undefined>;
  export function open(path: string): Promise<{ readLines(): AsyncIterable<string>; close(): Promise<void> }>;
}

declare module "node:path" {
  export function join(...parts: string[]): string;
  export function dirname(path: string): string;
  export function basename(path: string): string;
}

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
