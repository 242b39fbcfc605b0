import { beforeEach, describe, expect, test } from "bun:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { openSqliteStore } from "../../store/sqlite/store.ts";
import type { TokenStore } from "../../store/token-store.ts";
import { StoreClock } from "../process/store-clock.ts";
import { AccessTokens } from "./tokens.ts";

let clock: FakeClock;
let store: TokenStore;
let reads: number;

/** As another process has them. */
const open = (): AccessTokens =>
  new AccessTokens(
    {
      ...store,
      read: (id) => {
        reads += 1;
        return store.read(id);
      },
    },
    clock,
    new StoreClock({ now: async () => clock.now() }, clock),
    () => ({}),
    "memory",
    { admit: () => {}, tellUnknownFlows: async () => [] },
  );

let tokens: AccessTokens;

beforeEach(async () => {
  clock = new FakeClock();
  const opened = await openSqliteStore({ path: ":memory:", now: () => clock.now() });
  store = opened.tokens;
  reads = 0;
  tokens = open();
});

describe("a token", () => {
  test("lets in who shows it, with what it allows", async () => {
    const { token, secret } = await tokens.create({ name: "ci", role: "submit", flows: ["refund", "order", "order"] });
    expect(secret).toMatch(new RegExp(`^tkn_${token.id}_[\\w-]{43}$`));
    expect(await tokens.admit(secret)).toEqual({
      id: token.id,
      name: "ci",
      role: "submit",
      flows: ["order", "refund"],
      hidesPayloads: false,
    });
  });

  test("is kept as a hash: the secret stands nowhere in the store", async () => {
    const { secret } = await tokens.create({ name: "ci", role: "admin" });
    expect(JSON.stringify(await store.list())).not.toContain(secret.slice(17));
  });

  test("is refused where anything about it is another", async () => {
    const { token, secret } = await tokens.create({ name: "ci", role: "admin" });
    const { secret: other } = await tokens.create({ name: "other", role: "viewer" });
    const random = secret.slice(17);
    const [, otherId = ""] = other.split("_");
    const forged = [`tkn_${otherId}_${random}`, `${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`];
    for (const text of [...forged, "", "tkn_", token.id, secret.toUpperCase(), `${secret} `, `${secret}x`]) {
      expect(await tokens.admit(text)).toBeUndefined();
    }
  });

  test("works until it expires, by the store's time", async () => {
    const { secret, token } = await tokens.create({ name: "ci", role: "viewer", expiresInMs: 60_000 });
    clock.jump(59_999);
    expect(await tokens.admit(secret)).toBeDefined();
    clock.jump(1);
    expect(await tokens.admit(secret)).toBeUndefined();
    expect((await tokens.list()).map(({ id, state }) => [id, state])).toEqual([[token.id, "expired"]]);
    expect(await rejection(tokens.rotate(token.id, 0))).toMatchObject({ code: "token_not_active" });
  });

  test("that was revoked lets nobody in: here at once, in other processes after 5 s at most", async () => {
    const { secret, token } = await tokens.create({ name: "ci", role: "viewer" });
    const elsewhere = open();
    expect(await elsewhere.admit(secret)).toBeDefined();
    expect((await tokens.revoke(token.id)).state).toBe("revoked");
    expect(await tokens.admit(secret)).toBeUndefined();
    clock.jump(5000);
    expect(await elsewhere.admit(secret)).toBeUndefined();
  });

  test("that is rotated has two secrets for a while, and then the new one", async () => {
    const { secret, token } = await tokens.create({ name: "ci", role: "viewer" });
    const { secret: next } = await tokens.rotate(token.id, 10_000);
    expect(await tokens.admit(secret)).toBeDefined();
    expect(await tokens.admit(next)).toBeDefined();
    clock.jump(10_000);
    expect(await tokens.admit(secret)).toBeUndefined();
    expect(await tokens.admit(next)).toBeDefined();
  });

  test("is read once in 5 s, whether it is there or not: who tries secrets does not load the database", async () => {
    const { secret } = await tokens.create({ name: "ci", role: "viewer" });
    const missing = secret.replace(/^tkn_.{12}/, "tkn_aaaaaaaaaaaa");
    for (let count = 0; count < 10; count++) {
      await tokens.admit(secret);
      await tokens.admit(missing);
      await tokens.admit("not one of ours");
    }
    expect(reads).toBe(2);
  });

  test("tells its last use, at most once a minute", async () => {
    const { secret } = await tokens.create({ name: "ci", role: "viewer" });
    clock.jump(1000);
    await tokens.admit(secret);
    const [used] = await tokens.list();
    expect(used?.last_used_at).toBe(new Date(clock.now()).toISOString());
    clock.jump(59_999);
    await tokens.admit(secret);
    expect((await tokens.list())[0]).toEqual(used);
    clock.jump(1);
    await tokens.admit(secret);
    expect((await tokens.list())[0]?.last_used_at).toBe(new Date(clock.now()).toISOString());
  });
});

test("the door is shut from the first token on, and open again when the last one was revoked", async () => {
  expect(await tokens.isGuarded()).toBe(false);
  const { token } = await tokens.create({ name: "ci", role: "viewer", expiresInMs: 1 });
  expect(await tokens.isGuarded()).toBe(true);
  clock.jump(10_000);
  expect(await tokens.isGuarded()).toBe(true); // an expired one opens nothing
  await tokens.revoke(token.id);
  clock.jump(5000);
  expect(await tokens.isGuarded()).toBe(false);
});

test.each([
  [{ name: "", role: "viewer" as const }, "name"],
  [{ name: "x".repeat(101), role: "viewer" as const }, "name"],
  [{ name: "a\0", role: "viewer" as const }, "name"],
  [{ name: "\ud800", role: "viewer" as const }, "name"],
  [{ name: "x", role: "viewer" as const, flows: [] }, "flows"],
  [{ name: "x", role: "viewer" as const, flows: ["order", ""] }, "flows"],
  [{ name: "x", role: "viewer" as const, flows: ["a\0"] }, "flows"],
  [{ name: "x", role: "admin" as const, hidesPayloads: true }, "no-payloads"],
])("%p is refused, and nothing is made", async (request, path) => {
  expect(await rejection(tokens.create(request))).toMatchObject({ code: "input_invalid", errors: [{ path }] });
  expect(await tokens.list()).toEqual([]);
});

test("what is not there is told so", async () => {
  expect(await rejection(tokens.revoke("none"))).toMatchObject({ code: "token_not_found" });
  expect(await rejection(tokens.rotate("none", 0))).toMatchObject({ code: "token_not_found" });
});

test("an answer does not repeat a secret that was given in place of an id", async () => {
  const { secret, token } = await tokens.create({ name: "ci", role: "viewer" });
  const refused = [await rejection(tokens.revoke(secret)), await rejection(tokens.rotate(secret, 0))];
  for (const error of refused) {
    expect(error).toMatchObject({ code: "token_not_found", details: { id: `tkn_${token.id}_…` } });
    expect(error.message).not.toContain(secret.slice(17));
  }
});
