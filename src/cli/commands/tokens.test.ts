import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import type { Token } from "../../core/api/tokens.ts";
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

test("a token is also named by the beginning of its id, and by its secret, which no error repeats", async () => {
  const taskonaut = await withTokens("ci", "ops");
  taskonaut.tokens.all.push(
    ...["abcdefghjkmn", "abczzzzzzzzz"].map((id) => ({ ...(taskonaut.tokens.all[0] as Token), id, name: id })),
  );
  const secret = `tkn_abcdefghjkmn_${"x".repeat(43)}`;
  for (const named of ["abcd", "tkn_abcdefghjkmn", secret]) {
    const { code, stdout } = await cli(["tokens", "revoke", named], { taskonaut });
    expect([named, code, JSON.parse(stdout)]).toMatchObject([named, 0, { id: "abcdefghjkmn" }]);
  }
  const several = await cli(["tokens", "revoke", "abc"], { taskonaut });
  expect(several.code).toBe(3); // too short to be a beginning
  taskonaut.tokens.all.push({ ...(taskonaut.tokens.all[0] as Token), id: "abcdezzzzzzz", name: "third" });
  const two = await cli(["tokens", "revoke", "abcde"], { taskonaut });
  expect([two.code, two.stderr]).toMatchObject([2, expect.stringMatching(/begin with abcde[^]*abcdezzzzzzz: third/)]);
  const unknown = await cli(["tokens", "revoke", `tkn_zzzzzzzzzzzz_${"s3cret".repeat(7)}x`], { taskonaut });
  expect([unknown.code, unknown.stderr]).toMatchObject([3, expect.stringContaining("with the id zzzzzzzzzzzz")]);
  expect(unknown.stderr).not.toContain("s3cret");
});

test("of a token that is not there, the error says which name is nearest, and how to see all", async () => {
  const taskonaut = await withTokens("deploy-bot", "ops");
  for (const named of ["deploy-bto", "Deploy-Bot", "deploy"]) {
    const { code, stderr } = await cli(["tokens", "revoke", named], { taskonaut });
    expect([code, stderr]).toMatchObject([
      3,
      expect.stringContaining(`There is no token "${named}"; did you mean deploy-bot?`),
    ]);
    expect(stderr).toMatch(/hint: list the tokens that there are:\n {2}\S+ tokens\n/);
  }
});
