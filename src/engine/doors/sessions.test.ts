import { beforeEach, expect, test } from "bun:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SESSION_IDLE_MS } from "../../core/api/sessions.ts";
import type { Caller, CreateToken } from "../../core/api/tokens.ts";
import { openSqliteStore } from "../../store/sqlite/store.ts";
import type { Store } from "../../store/store.ts";
import { StoreClock } from "../process/store-clock.ts";
import { LoginSessions } from "./sessions.ts";
import { AccessTokens } from "./tokens.ts";

const OWNER: Caller = { name: "owner", role: "admin", flows: null, hidesPayloads: false };

/** After it every process looks again. */
const KNOWN_MS = 5000;

let clock: FakeClock;
let store: Store;

/** As a process has them. */
function open(): { readonly tokens: AccessTokens; readonly sessions: LoginSessions } {
  const storeClock = new StoreClock({ now: async () => clock.now() }, clock);
  const tokens = new AccessTokens(store.tokens, clock, storeClock, () => ({}), "memory", {
    admit: () => {},
    tellUnknownFlows: async () => [],
  });
  return { tokens, sessions: new LoginSessions(store.sessions, tokens, clock, storeClock, () => ({})) };
}

beforeEach(async () => {
  clock = new FakeClock();
  store = await openSqliteStore({ path: ":memory:", now: () => clock.now() });
});

async function logIn(request: Partial<CreateToken> = {}): Promise<{ readonly id: string; readonly secret: string }> {
  const { tokens, sessions } = open();
  const made = await tokens.create({ name: "Ada", role: "operator", ...request });
  const session = await sessions.open(made.secret);
  if (!session) throw new Error("The token works.");
  return { id: made.token.id, secret: session.secret };
}

const nameOf = async (secret: string, owner?: string): Promise<string | undefined> => {
  const found = await open().sessions.find(secret, owner);
  return found === "owner" ? found : found?.name;
};

test("every server on the database knows a session, and the database does not have its secret", async () => {
  const { secret } = await logIn();
  expect(secret).toMatch(/^ses_[\w-]{43}$/);
  expect(await nameOf(secret)).toBe("Ada");
  expect(await nameOf(secret.slice(0, -1) + (secret.endsWith("A") ? "B" : "A"))).toBeUndefined();
  for (const text of ["", "ses_", `ses_${"a".repeat(43)}`, `own_${secret.slice(4)}`]) {
    expect(await nameOf(text, "token")).toBeUndefined();
  }
});

test("a token that does not work opens none", async () => {
  const { tokens, sessions } = open();
  const { token, secret } = await tokens.create({ name: "Ada", role: "viewer" });
  await tokens.revoke(token.id);
  for (const text of [secret, "", "tkn_", "let-me-in"]) expect(await sessions.open(text)).toBeUndefined();
});

test("it ends when it was not used for twelve hours, and not before", async () => {
  const { secret } = await logIn();
  for (let times = 0; times < 3; times++) {
    clock.jump(SESSION_IDLE_MS - 1000);
    expect(await nameOf(secret)).toBe("Ada");
  }
  clock.jump(SESSION_IDLE_MS + 1000);
  expect(await nameOf(secret)).toBeUndefined();
});

test("SE1: it ends with its token: revoked, expired, or rotated away when the grace is over", async () => {
  const revoked = await logIn();
  await open().tokens.revoke(revoked.id);
  expect(await nameOf(revoked.secret)).toBeUndefined();

  const expired = await logIn({ expiresInMs: 60_000 });
  clock.jump(59_000);
  expect(await nameOf(expired.secret)).toBe("Ada");
  clock.jump(1000);
  expect(await nameOf(expired.secret)).toBeUndefined();

  const rotated = await logIn();
  await open().tokens.rotate(rotated.id, 60_000);
  expect(await nameOf(rotated.secret)).toBe("Ada");
  clock.jump(60_000);
  expect(await nameOf(rotated.secret)).toBeUndefined();
});

test("another server hears within seconds of a log out and of a revoked token", async () => {
  const { id, secret } = await logIn();
  const other = open();
  const gone = await logIn();
  for (const each of [secret, gone.secret]) expect(await other.sessions.find(each, undefined)).toBeDefined();
  await open().tokens.revoke(id);
  await open().sessions.end(gone.secret, undefined);
  clock.jump(KNOWN_MS);
  for (const each of [secret, gone.secret]) expect(await other.sessions.find(each, undefined)).toBeUndefined();
});

test("a session of the server's own token is of that token alone", async () => {
  const { sessions } = open();
  const { secret } = await sessions.openForOwner("let-me-in", OWNER);
  expect(await nameOf(secret, "let-me-in")).toBe("owner");
  expect(await nameOf(secret, "another")).toBeUndefined();
  expect(await nameOf(secret)).toBeUndefined();
  await open().sessions.end(secret, "let-me-in");
  expect(await nameOf(secret, "let-me-in")).toBeUndefined();
});

test("a use is written once a minute at most", async () => {
  const { secret } = await logIn();
  const { sessions } = open();
  let uses = 0;
  const counted = new LoginSessions(
    {
      ...store.sessions,
      noteUse(hash) {
        uses += 1;
        return store.sessions.noteUse(hash);
      },
    },
    open().tokens,
    clock,
    new StoreClock({ now: async () => clock.now() }, clock),
    () => ({}),
  );
  for (let times = 0; times < 30; times++) {
    await counted.find(secret, undefined);
    clock.jump(3000);
  }
  expect(uses).toBe(2);
  await sessions.end(secret, undefined);
});
