import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../../test/support/fake-taskonaut.ts";

async function withTokens(...names: readonly string[]): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  for (const name of names) await taskonaut.tokens.create({ name, role: "submit" });
  return taskonaut;
}

test("a token is named by its id or by its name", async () => {
  const taskonaut = await withTokens("ci", "ops");
  const rotated = await cli(["tokens", "rotate", "ci"], { taskonaut });
  expect([rotated.code, JSON.parse(rotated.stdout)]).toMatchObject([0, { id: "token-1", secret: "secret-of-token-1" }]);
  const revoked = await cli(["tokens", "revoke", "token-2"], { taskonaut });
  expect([revoked.code, JSON.parse(revoked.stdout)]).toMatchObject([0, { name: "ops", state: "revoked" }]);
});

test("of several tokens of one name the one that is active is meant, and where more are, an id is asked for", async () => {
  const taskonaut = await withTokens("ci", "ci", "ci");
  const { code, stderr } = await cli(["tokens", "revoke", "ci"], { taskonaut });
  expect([code, stderr]).toMatchObject([2, expect.stringContaining('several tokens are called "ci"')]);
  for (const id of ["token-1", "token-3"]) await cli(["tokens", "revoke", id], { taskonaut });
  expect(JSON.parse((await cli(["tokens", "rotate", "ci"], { taskonaut })).stdout)).toMatchObject({ id: "token-2" });
});

test("without a token to rotate or revoke, the error says how to name one", async () => {
  const { code, stderr } = await cli(["tokens", "rotate"]);
  expect([code, stderr]).toMatchObject([2, expect.stringContaining("name the token, by its id or its name")]);
});
