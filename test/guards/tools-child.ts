// What tools do with the runtime, with every guard there is in place. Prints what failed; nothing: all of it works.

import { installGuards } from "../../src/flows/guards.ts";
import { guardRealBun } from "../../src/flows/guards/globals.ts";
import { guardModules } from "../../src/flows/guards/modules.ts";

installGuards();
guardModules();
guardRealBun();
const [fs, fsPromises, http, net, childProcess, zlib, streams, readline, crypto, os, path, workers, dgram] =
  await Promise.all([
    import("node:fs"),
    import("node:fs/promises"),
    import("node:http"),
    import("node:net"),
    import("node:child_process"),
    import("node:zlib"),
    import("node:stream/promises"),
    import("node:readline"),
    import("node:crypto"),
    import("node:os"),
    import("node:path"),
    import("node:worker_threads"),
    import("node:dgram"),
  ]);

const folder = await fsPromises.mkdtemp(path.join(os.tmpdir(), "taskonaut-"));
const file = path.join(folder, "file");

const WORKS: Readonly<Record<string, () => unknown>> = {
  async "a file is written and read as a stream"() {
    const out = fs.createWriteStream(file);
    out.write("one\n");
    out.end("two\n");
    await new Promise((resolve) => out.on("close", resolve));
    let text = "";
    for await (const chunk of fs.createReadStream(file)) text += String(chunk);
    return text === "one\ntwo\n";
  },
  async "a file that is not there is an error"() {
    try {
      await streams.pipeline(fs.createReadStream(path.join(folder, "none")), fs.createWriteStream(`${file}.copy`));
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ENOENT";
    }
  },
  async "lines are read"() {
    const lines: string[] = [];
    for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) lines.push(line);
    return lines.join() === "one,two";
  },
  async "a handle of a file"() {
    const handle = await fsPromises.open(file);
    const { size } = await handle.stat();
    const text = await handle.readFile("utf8");
    await handle.close();
    return size === 8 && text.length === 8;
  },
  async "a pipeline through zlib"() {
    await streams.pipeline(fs.createReadStream(file), zlib.createGzip(), fs.createWriteStream(`${file}.gz`));
    return zlib.gunzipSync(fs.readFileSync(`${file}.gz`)).toString() === "one\ntwo\n";
  },
  async "a request by http, by fetch and by Bun.fetch"() {
    const server = http.createServer((request, response) => {
      request.on("data", () => {});
      request.on("end", () => response.end(`hello ${request.method}`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/`;
    const byHttp = await new Promise<string>((resolve, reject) => {
      const request = http.request(url, { method: "POST" }, (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => resolve(text));
      });
      request.on("error", reject);
      request.end("x");
    });
    const others = [await (await fetch(url)).text(), await (await Bun.fetch(url)).text()];
    server.close();
    server.closeAllConnections();
    return [byHttp, ...others].join() === "hello POST,hello GET,hello GET";
  },
  async "a socket"() {
    const server = net.createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const text = await new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.on("data", (data) => {
        resolve(data.toString());
        socket.end();
      });
      socket.write("echo");
    });
    server.close();
    return text === "echo";
  },
  async "a datagram"() {
    const server = dgram.createSocket("udp4");
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const heard = new Promise((resolve) => server.on("message", (message) => resolve(message.toString())));
    const client = dgram.createSocket("udp4");
    client.send("ping", server.address().port, "127.0.0.1");
    const text = await heard;
    client.close();
    server.close();
    return text === "ping";
  },
  async "a child process"() {
    const child = childProcess.spawn("cat");
    child.stdin.end("meow");
    let text = "";
    for await (const chunk of child.stdout) text += String(chunk);
    return (
      text === "meow" && childProcess.execSync("echo x").toString() === "x\n" && (await Bun.$`echo y`.text()) === "y\n"
    );
  },
  async messages() {
    const { port1, port2 } = new workers.MessageChannel();
    const heard = new Promise((resolve) => port2.on("message", resolve));
    port1.postMessage({ a: 1 });
    const message = (await heard) as { a: number };
    port1.close();
    return message.a === 1;
  },
  async chance() {
    const pool = crypto.randomBytes(256);
    crypto.randomFillSync(pool);
    const view = crypto.getRandomValues(new Uint8Array(128));
    const key = await globalThis.crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"]);
    const sealed = await globalThis.crypto.subtle.encrypt({ name: "AES-GCM", iv: view.slice(0, 12) }, key, pool);
    const hash = crypto.createHash("sha256").update(pool).digest();
    const isBuffer = Buffer.isBuffer(pool) && pool instanceof Uint8Array && pool.toString("hex").length === 512;
    return (
      isBuffer &&
      [...view].length === 128 &&
      sealed.byteLength === 272 &&
      hash.length === 32 &&
      structuredClone(view).length === 128
    );
  },
  async timers() {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await (await import("node:timers/promises")).setTimeout(1);
    return new Promise((resolve) => process.nextTick(() => setImmediate(() => queueMicrotask(() => resolve(true)))));
  },
  async databases() {
    const { Database } = await import("bun:sqlite");
    const { DatabaseSync } = await import("node:sqlite");
    const sum = new Database(":memory:").query("select 1 + 1 as n").get() as { n: number };
    const other = new DatabaseSync(":memory:").prepare("select 2 as n").get() as { n: number };
    return sum.n + other.n === 4;
  },
};

const failed: string[] = [];
for (const [what, run] of Object.entries(WORKS)) {
  const isOver = new Promise((resolve) => setTimeout(resolve, 5_000, "took too long"));
  const result: unknown = await Promise.race([Promise.resolve().then(run), isOver]).catch((error: unknown) => error);
  if (result !== true) failed.push(`${what}: ${String(result)}`);
}
await fsPromises.rm(folder, { recursive: true });
await Bun.write(Bun.stdout, JSON.stringify(failed));
process.exit();
