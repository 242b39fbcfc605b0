// Blocks that are not run, with the reason. All others are.

export interface NotRun {
  readonly page: string;
  /** How the block begins. */
  readonly begins: string;
  readonly why: string;
}

export const NOT_RUN: readonly NotRun[] = [
  {
    page: "docs/openapi.md",
    begins: "// main.ts",
    why: "test/e2e/openapi.test.ts runs a program like it, with its package",
  },
  { page: "README.md", begins: "npx --yes bun@1.4.5 run quickstart", why: "it builds and checks this very program" },
  ...["taskonaut ", "# "].map((begins) => ({
    page: "docs/command-line.md",
    begins,
    why: "test/e2e/help.test.ts pastes each example, where a task of its kind is",
  })),
  {
    page: "docs/command-line.md",
    begins: "⠹ 01a2",
    why: "it is gone when the task has ended; test/e2e/live.test.ts sees it",
  },
  { page: "docs/concepts.md", begins: " PLANNED", why: "a drawing" },
  ...["id: 0f4e", "09:30:00  created"].map((begins) => ({
    page: "docs/events.md",
    begins,
    why: "it comes while the block above is run; test/e2e/events.test.ts sees it",
  })),
  { page: "docs/measurements.md", begins: "bun run bench", why: "it measures the source tree, for minutes" },
  { page: "docs/operations.md", begins: "# /etc/systemd", why: "a service of a system that the tests do not have" },
  { page: "docs/operations.md", begins: "FROM debian", why: "an image, which needs Docker" },
  { page: "docs/operations.md", begins: "06:13:35", why: "lines of a log" },
  {
    page: "docs/postgresql.md",
    begins: "docker compose",
    why: "it needs Docker; the server of the tests stands in its place",
  },
  { page: "docs/tutorial.md", begins: "npx --yes bun@1.4.5 run quickstart", why: "it builds this very program" },
  {
    page: "docs/tutorial.md",
    begins: "docker compose",
    why: "it needs Docker; the server of the tests stands in its place",
  },
];
