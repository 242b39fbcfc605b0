import { ROLES } from "../../core/api/roles.ts";
import type { NewToken, Token } from "../../core/api/tokens.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { tellWrongDuration } from "../../core/flow/duration.ts";
import { toMs } from "../../core/record/duration.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, tell } from "../print.ts";
import { REASON } from "../reason.ts";
import { type Column, drawTable } from "../table.ts";
import { findTokenId } from "../token-id.ts";
import { describeAhead } from "../../core/times.ts";
import { throwIfDamaged } from "../throw-if-damaged.ts";
import { describeAge } from "../times.ts";
import { notOneOf, readWord, usageError } from "../usage.ts";

const ACTIONS = ["list", "create", "rotate", "revoke"] as const;
type Action = (typeof ACTIONS)[number];

/** Long enough to bring the new secret everywhere, and short enough for one that was lost. */
const GRACE = "1h";

/** Which options mean something to which action. */
const OPTIONS_OF: Readonly<Record<Action, readonly string[]>> = {
  list: [],
  create: ["name", "role", "flows", "expires", "no-payloads"],
  rotate: ["grace"],
  revoke: [],
};

export const tokens: Command = {
  name: "tokens",
  summary: "List, create, rotate and revoke tokens",
  about:
    "As soon as there is a token, a server on this database lets nobody in without one. A viewer sees, submit creates tasks and sees those, an operator does whatever changes a task, an admin everything. The secret is shown once.",
  args: [
    { name: "action", required: false },
    { name: "token", required: false },
  ],
  options: [
    { name: "name", value: "name", summary: "create: for whom it is" },
    { name: "role", value: "role", summary: `create: ${ROLES.join(", ")}` },
    { name: "flows", value: "names", summary: "create: only tasks of these flows, separated by commas (default: all)" },
    {
      name: "expires",
      value: "duration",
      summary: "create: how long it works, like 90d (default: until it is revoked)",
    },
    { name: "no-payloads", summary: "create: a viewer that sees no inputs and outputs" },
    {
      name: "grace",
      value: "duration",
      summary: `rotate: how long the secret before it still works (default: ${GRACE})`,
    },
    REASON,
  ],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["tokens create --name ci --role submit --flows order --expires 90d", "tokens"],

  run: (call) => {
    const [word = "list", id] = call.args;
    const action = ACTIONS.find((each) => each === word);
    if (action === undefined) throw usageError([notOneOf(ACTIONS, "<action>", word)]);
    const needsId = action === "rotate" || action === "revoke";
    if (needsId !== (id !== undefined)) {
      const message = needsId ? "name the token, by its id or its name" : `${action} takes no token`;
      throw usageError([{ path: `tokens ${action}`, message }]);
    }
    const stray = tokens.options.filter(
      ({ name }) => call.flags.has(name) && name !== REASON.name && !OPTIONS_OF[action].includes(name),
    );
    if (stray.length > 0) {
      throw usageError(stray.map(({ name }) => ({ path: `--${name}`, message: `means nothing to tokens ${action}` })));
    }
    return withTaskonaut(call, async (taskonaut) => {
      await carryOut(call, taskonaut, action, id ?? "");
      return 0;
    });
  },
};

async function carryOut(call: Call, taskonaut: Taskonaut, action: Action, named: string): Promise<void> {
  const id = named === "" ? named : await findTokenId(taskonaut, named);
  switch (action) {
    case "list":
      return printAll(call, await taskonaut.tokens.list());
    case "create":
      return printNew(call, await taskonaut.tokens.create(readRequest(call)));
    case "rotate":
      return printNew(call, await taskonaut.tokens.rotate(id, readDuration(call, "grace") ?? toMs(GRACE) ?? 0));
    case "revoke": {
      const token = await taskonaut.tokens.revoke(id);
      const { io, look } = call;
      if (look.style !== "readable") {
        await io.stdout.write(`${JSON.stringify(token)}\n`);
        return;
      }
      return tell(call, [`Token ${showText(token.name, 60)} (${token.id}) is revoked.`], []);
    }
  }
}

function readRequest(call: Call): Parameters<Taskonaut["tokens"]["create"]>[0] {
  const { flags } = call;
  const name = flags.get("name");
  const role = readWord(flags, "role", ROLES);
  const missing = [name === undefined ? "name" : "", role === undefined ? "role" : ""].filter((each) => each !== "");
  if (name === undefined || role === undefined) {
    throw usageError(missing.map((each) => ({ path: `--${each}`, message: "is missing" })));
  }
  const flows = flags
    .get("flows")
    ?.split(",")
    .map((flow) => flow.trim());
  const expiresInMs = readDuration(call, "expires");
  return {
    name,
    role,
    ...(flows && { flows }),
    ...(flags.has("no-payloads") && { hidesPayloads: true }),
    ...(expiresInMs !== undefined && { expiresInMs }),
  };
}

/** Throws usage. */
function readDuration({ flags }: Call, name: string): number | undefined {
  const text = flags.get(name);
  if (text === undefined) return undefined;
  const ms = toMs(text);
  if (ms === undefined) throw usageError([{ path: `--${name}`, message: tellWrongDuration(text) }]);
  return ms;
}

async function printNew(call: Call, made: NewToken): Promise<void> {
  const { io, look } = call;
  const told = made.warnings.map((warning) => `Note: ${showText(warning, 500)}. The token is for it all the same.`);
  if (told.length > 0) await tell(call, told, []);
  if (look.style !== "readable") {
    await io.stdout.write(`${JSON.stringify({ ...made.token, secret: made.secret, warnings: made.warnings })}\n`);
    return;
  }
  await tell(call, [`Token ${showText(made.token.name, 60)} (${made.token.id}), shown this once:`], []);
  await io.stdout.write(`${made.secret}\n`);
}

async function printAll(call: Call, all: readonly Token[]): Promise<void> {
  const { io, look } = call;
  if (look.style !== "readable") await io.stdout.write(listToJson(all, look));
  else if (all.length === 0)
    await tell(call, ["There is no token: whoever reaches a server on this machine may do everything."], []);
  else await io.stdout.write(`${drawTable(columnsOf(look.now()), all, look).join("\n")}\n`);
  throwIfDamaged("tokens", all);
}

function columnsOf(now: number): readonly Column<Token>[] {
  return [
    { head: "NAME", least: 6, most: 40, show: ({ name }, width) => ({ text: showText(name, width), color: "bold" }) },
    { head: "ID", show: ({ id }) => ({ text: id }) },
    {
      head: "ROLE",
      show: ({ role, hides_payloads }) => ({ text: hides_payloads ? `${role}, no payloads` : role }),
    },
    {
      head: "STATE",
      show: ({ state, damage }) =>
        damage === undefined
          ? { text: state, color: state === "active" ? "green" : "red" }
          : { text: "damaged", color: "red" },
    },
    {
      head: "FLOWS",
      least: 6,
      most: 40,
      goes: 3,
      show: ({ flows }, width) => ({ text: flows === null ? "all" : showText(flows.join(", "), width) }),
    },
    {
      head: "EXPIRES",
      goes: 2,
      show: ({ expires_at }) => ({ text: expires_at === null ? "never" : describeAhead(expires_at, now) }),
    },
    {
      head: "LAST USED",
      goes: 1,
      show: ({ last_used_at }) => ({ text: last_used_at === null ? "never" : describeAge(last_used_at, now) }),
    },
  ];
}
