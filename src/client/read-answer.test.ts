import { afterEach, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { AnswerError, readAnswer } from "./read-answer.ts";
import { createClient } from "./client.ts";

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** Answers each request with this text, and then calls `then` with the connection. */
async function answering(text: string, then: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {}); // the client may leave first
    socket.once("data", () => socket.write(text, () => then(socket)));
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const chunked = (text: string): string =>
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n`;

test.each([
  ["in the middle of a chunked list", chunked('[{"id":"a"},'), (socket: Socket) => socket.destroy()],
  ["politely in the middle of a chunked list", chunked('[{"id":"a"},'), (socket: Socket) => socket.end()],
  ["between two chunks, after what looks whole", chunked("[]"), (socket: Socket) => socket.destroy()],
  ["before the announced length", `${HEAD}Content-Length: 100\r\n\r\n[`, (socket: Socket) => socket.destroy()],
  [
    "although the answer is said to be whole",
    `${HEAD}Content-Length: 13\r\n\r\n[{"id":"a"},  `,
    (socket: Socket) => socket.end(),
  ],
])("a list that is cut off %s does not pass as complete", async (_, text, then) => {
  const client = createClient({ baseUrl: await answering(text, then) });
  const error = await client.listTasks({ limit: 10 }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({
    code: "api_unreachable",
    message: expect.stringMatching(/its answer broke off after \d+ /),
  });
});

test("an answer is read up to a limit", async () => {
  let given = 0;
  const endless = (): Response =>
    new Response(
      new ReadableStream({
        pull(controller) {
          given += 1;
          controller.enqueue(new Uint8Array(1000));
        },
      }),
    );
  await expect(readAnswer(endless(), () => {}, 10_000)).rejects.toThrow(
    new AnswerError("its answer has more than 10000 bytes"),
  );
  expect(given).toBeLessThan(20);
  expect(await readAnswer(new Response("žluť"), () => {})).toBe("žluť");
});

test("an answer that comes slowly is waited for as long as it comes", async () => {
  const url = await answering(`${HEAD}Content-Length: 2\r\n\r\n[`, () => {});
  const client = createClient({ baseUrl: url, timeoutMs: 50 });
  await expect(client.listTasks({ limit: 10 })).rejects.toMatchObject({ message: expect.stringContaining("50 ms") });
});
