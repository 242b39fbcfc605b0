// What happens to tasks, heard by the program itself: of other processes, through a server, and over its death.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Task } from "../../src/core/api/task.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";

setDefaultTimeout(120_000);

const INTERRUPTED = 130;

async function runFlow(place: Place): Promise<string> {
  const { exit, stdout, stderr } = await place.run(["run-flow", "echo_add"]);
  expect({ exit, stderr }).toMatchObject({ exit: 0 });
  return (JSON.parse(stdout) as Task).id;
}

describe.each(DIALECTS)("%s", (dialect) => {
  test("watch shows what other processes do, until Ctrl-C", async () => {
    await using place = await openPlace(dialect);
    const watch = await place.terminal(["watch"], { columns: 120 });
    await watch.see("Listening. Ctrl-C stops.");
    const id = await runFlow(place);
    await watch.see(new RegExp(`created +${id} +[A-Z]+ +echo_add`));
    await watch.see(new RegExp(`ended +${id} +COMPLETED +echo_add`));
    watch.press("ctrl-c");
    expect(await watch.exited()).toBe(INTERRUPTED);
  });

  test("a program gets a line of JSON for each event that its filters let through", async () => {
    await using place = await openPlace(dialect);
    const watch = await place.terminal(["watch", "--kind", "ended", "--status", "COMPLETED", "--format", "ndjson"], {
      columns: 1000,
    });
    await watch.see('{"kind":"ready"');
    const id = await runFlow(place);
    await watch.see(new RegExp(`{"kind":"ended","task_id":"${id}",.*"status":"COMPLETED"`));
    expect(watch.shown).not.toContain("created");
    watch.press("ctrl-c");
    expect(await watch.exited()).toBe(INTERRUPTED);
  });

  test("over the death of its server it says so, asks again, and tells what has happened meanwhile", async () => {
    await using place = await openPlace(dialect);
    const server = await place.serve(["--no-worker"]);
    const watch = await place.terminal(["watch", "--api-base-url", server.url], { columns: 120 });
    await watch.see("Listening. Ctrl-C stops.");
    const before = await runFlow(place);
    await watch.see(new RegExp(`ended +${before}`));
    await server.stop("SIGKILL");
    await watch.see(/No answer from a taskonaut server[^]*Asking again in|has ended the stream[^]*Asking again in/);
    const meanwhile = await runFlow(place);
    await place.serve(["--no-worker", "--port", new URL(server.url).port]);
    await watch.see("Listening. Ctrl-C stops.");
    await watch.see(new RegExp(`created +${meanwhile}`));
    await watch.see(new RegExp(`ended +${meanwhile}`));
    // but what others on the same server began before it listened
    expect(watch.shown).not.toMatch(/not shown: (?!a change may have begun before)/);
    watch.press("ctrl-c");
    expect(await watch.exited()).toBe(INTERRUPTED);
  });
});

test("ui serves the dashboard, hands its address to the browser, and ends with Ctrl-C", async () => {
  await using place = await openPlace("sqlite");
  const opened = await place.write("opened.sh", '#!/bin/sh\necho "$1" > opened\n');
  await Bun.spawn(["chmod", "+x", opened]).exited;
  const ui = await place.terminal(["ui"], { env: { BROWSER: opened } });
  const [address = ""] = await ui.see(/http:\/\/127\.0\.0\.1:\d+\/ui/);
  await ui.see("Ctrl-C stops it.");
  const page = await fetch(address);
  expect(page.status).toBe(200);
  expect(await page.text()).toStartWith("<!doctype html>");
  const { stdout } = await place.run(["ui", "--api-base-url", address.replace("/ui", ""), "--no-open"]);
  expect(stdout).toBe(`${address}\n`);
  ui.press("ctrl-c");
  expect(await ui.exited()).toBe(0);
  expect(await Bun.file(`${place.folder}/opened`).text()).toBe(`${address}\n`);
});
