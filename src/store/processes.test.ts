import { expect, test } from "bun:test";
import { until } from "../../test/support/until.ts";
import { Processes } from "./processes.ts";

const processes = new Processes();
const machine = processes.own.replace(/ \d+ \d*$/, "");

/** A process that lives until its input ends, and prints its name. */
async function started(): Promise<{ readonly own: string; readonly child: ReturnType<typeof spawn> }> {
  const child = spawn();
  const { value } = await child.stdout.getReader().read();
  return { child, own: new TextDecoder().decode(value) };
}

function spawn(): Bun.Subprocess<"pipe", "pipe", "inherit"> {
  const code = `import { until } from "../../test/support/until.ts";
import { Processes } from ${JSON.stringify(import.meta.resolve("./processes.ts"))};
    process.stdout.write(new Processes().own); for await (const _ of process.stdin);`;
  return Bun.spawn([process.execPath, "-e", code], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
}

test("a process is there until it has ended", async () => {
  expect(processes.find(processes.own)).toBe("there");
  const { child, own } = await started();
  expect(own).not.toBe(processes.own);
  expect(processes.find(own)).toBe("there");
  child.kill("SIGSTOP");
  expect(processes.find(own)).toBe("there");
  child.kill("SIGKILL");
  await child.exited;
  expect(processes.find(own)).toBe("gone");
});

test.if(process.platform === "linux")("one that ended is gone although its parent has not heard of it", async () => {
  // The parent never waits for its child.
  const script = `read -r line; sleep 60 & echo $!; exec sleep 60`;
  const parent = Bun.spawn(["sh", "-c", script], { stdin: "pipe", stdout: "pipe" });
  await parent.stdin.write("go\n");
  const { value } = await parent.stdout.getReader().read();
  const pid = new TextDecoder().decode(value).trim();
  const { stdout } = Bun.spawnSync(["sed", "s/.*) //", `/proc/${pid}/stat`]);
  const own = `${machine} ${pid} ${stdout.toString().split(" ")[19]}`;
  expect(processes.find(own)).toBe("there");
  process.kill(Number(pid), "SIGKILL");
  await until(async () => (await Bun.file(`/proc/${pid}/stat`).text()).includes(") Z "));
  expect(processes.find(own)).toBe("gone");
  parent.kill("SIGKILL");
  await parent.exited;
});

test.if(process.platform === "linux")("one that has the number of another is not taken for it", () => {
  expect(processes.find(`${machine} ${process.pid} 1`)).toBe("gone");
});

test("nothing is known of processes of other machines, and of those without a name", () => {
  expect(processes.find(`linux another-boot pid:[1] ${process.pid} 1`)).toBe("unknown");
  expect(processes.find("")).toBe("unknown");
  expect(processes.find("nonsense")).toBe("unknown");
});
