// As much of curl as the documents use, for machines that have none: the tests need nothing but Bun. A refusal exits with 22,
// as with curl's --fail, so that no page shows a request that fails; with -i the page itself shows the status.

import process, { argv, stdout } from "node:process";

const args = argv.slice(2);
let method: string | undefined;
let body: string | undefined;
let url: string | undefined;
let showsHead = false;
const headers = new Headers();

for (let at = 0; at < args.length; at++) {
  const arg = args[at] ?? "";
  const value = (): string => args[++at] ?? "";
  if (arg === "-X") method = value();
  else if (arg === "-d") body = value();
  else if (arg === "-i") showsHead = true;
  else if (arg === "-H") {
    const [name = "", ...rest] = value().split(":");
    headers.set(name, rest.join(":").trim());
  } else if (arg.startsWith("-") && arg !== "-s" && arg !== "-sN") throw new Error(`This curl knows no ${arg}.`);
  else if (!arg.startsWith("-")) url = arg;
}

const address = url?.includes("://") === true ? url : `http://${url}`;
const response = await fetch(address, {
  method: method ?? (body === undefined ? "GET" : "POST"),
  headers,
  ...(body !== undefined && { body }),
});
if (showsHead) {
  stdout.write(`HTTP/1.1 ${response.status} ${response.statusText}\n`);
  for (const [name, text] of response.headers) stdout.write(`${name}: ${text}\n`);
  stdout.write("\n");
}
// an answer that does not end is shown as it comes
const pieces = response.body as AsyncIterable<Uint8Array> | null;
for await (const piece of pieces ?? []) stdout.write(piece);
if (!response.ok && !showsHead) process.exitCode = 22;
