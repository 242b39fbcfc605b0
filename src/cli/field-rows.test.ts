import { expect, test } from "bun:test";
import { flagRows, payloadRows } from "./field-rows.ts";

const text = { type: "string" };

test("each field is a flag with what it takes, and what the contract says of it", () => {
  const schema = {
    type: "object",
    properties: {
      sku: { type: "string", description: "the article", minLength: 2 },
      qty: { type: "integer", default: 1, minimum: 1, maximum: 20 },
      gift: { type: "boolean", default: false },
      size: { enum: ["s", "m", "l"], type: "string", default: "m" },
      country: { enum: ["Germany", "Denmark", "Netherlands"] },
      price: { anyOf: [{ type: "number" }, { type: "null" }] },
      tags: { type: "array", items: { type: "string", maxLength: 5 }, maxItems: 3 },
      address: { type: "object", properties: { zip: text, express: { type: "boolean" } }, required: ["zip"] },
      note: { type: "string", default: "" },
      any: {},
    },
    required: ["sku", "qty", "address"],
  };
  expect(flagRows(schema, []).map(({ name, text: said }) => `${name} | ${said}`)).toEqual([
    "--sku <text> | The article (required; at least 2 characters)",
    "--qty <integer> | 1 to 20; default: 1",
    "--gift, --no-gift | Default: false",
    "--size <s | m | l> | Default: m",
    "--country <text> | One of Germany, Denmark, Netherlands",
    "--price <number> | Or null",
    "--tags <text> | At most 3 items; each at most 5 characters; may be repeated",
    "--address.zip <text> | Required",
    "--address.express, --no-address.express | ",
    '--note <text> | Default: ""',
    "--any <json> | ",
  ]);
});

test("a field that is called like an option of the command is typed with input. before it", () => {
  const schema = { type: "object", properties: { mode: text, other: text } };
  expect(flagRows(schema, [{ name: "mode", value: "mode", summary: "" }]).map(({ name }) => name)).toEqual([
    "--input.mode <text>",
    "--other <text>",
  ]);
});

test("fields of JSON have no dashes", () => {
  const schema = { type: "object", properties: { by: text, ok: { type: "boolean" } }, required: ["by"] };
  expect(payloadRows(schema)).toEqual([
    { name: "by <text>", text: "Required" },
    { name: "ok <true | false>", text: "" },
  ]);
});

test("nothing of a contract reaches the terminal as a control, and a long default is cut", () => {
  const properties = { "a\u001b[31m": { type: "string", description: "x\u001b]0;y\u0007", default: "z".repeat(1000) } };
  const [row] = flagRows({ type: "object", properties }, []);
  expect(`${row?.name} ${row?.text}`).not.toMatch(/\p{Cc}/u);
  expect(row?.text.length).toBeLessThan(200);
});
