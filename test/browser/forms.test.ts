// What people type into the dashboard stays theirs: forms, and a server that is slow or gone.

import { describe, expect } from "bun:test";
import { inBrowser, openPage, openSite, useSite } from "./browser.ts";

const site = useSite();

describe("the dashboard", () => {
  inBrowser("starts a task by a form of the flow's input, with defaults left to the flow", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await site().sandbox.write("paid-9007199254740991", "");
    await dashboard.open("/start/order");
    await page.getByLabel("cents").fill("9007199254740991");
    await page.getByLabel("rush").selectOption("true");
    await dashboard.picture("start");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    await page.getByText('"cents": 9007199254740991, "note": "none", "rush": true').waitFor();
  });

  inBrowser("tells what the server refuses, field by field, and keeps what was typed", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/start/order");
    await page.getByLabel("cents").fill("1.5");
    await page.getByLabel("note").fill("by hand");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("alert").getByText("cents", { exact: true }).waitFor();
    expect(await page.getByLabel("note").inputValue()).toBe("by hand");
  });

  inBrowser("tells of a slow server, for as long as it is", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const held = Promise.withResolvers<void>();
    await page.route(`${site().server.url}/workers`, async (route) => {
      await held.promise;
      await route.continue();
    });
    await dashboard.open("/workers");
    await page.getByText("The server takes long to answer").waitFor();
    held.resolve();
    await page.getByText("The server takes long to answer").waitFor({ state: "detached" });
    await page.getByText("alive").waitFor();
  });

  inBrowser("tells of a lost connection, keeps what was typed, and heals", async () => {
    await using other = await openSite();
    await using dashboard = await openPage(other);
    const { page } = dashboard;
    const id = await other.create("approval");
    await dashboard.open(`/tasks/${id}`);
    await page.getByLabel("by").fill("Ada");
    await other.server.stop("SIGKILL");
    await page.getByText("The server does not answer.").waitFor();
    await dashboard.picture("lost");
    expect(await page.getByLabel("by").inputValue()).toBe("Ada");
    await other.sandbox.serve(["--flows", "flows", "--port", new URL(other.server.url).port]);
    await page.getByText("The server does not answer.").waitFor({ state: "detached" });
    expect(await page.getByLabel("by").inputValue()).toBe("Ada");
    await page.getByRole("button", { name: "Send approved" }).click();
    await page.getByRole("heading", { name: /approval COMPLETED/ }).waitFor();
  });
});
