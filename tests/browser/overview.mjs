// Is anything wrong? From an empty system to one in trouble, and the way from the sentence to the thing.
import http from "node:http";
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

let status = 200;
const receiver = http.createServer((request, response) => {
  request.resume().on("end", () => { response.writeHead(status); response.end(); });
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${receiver.address().port}/`;

await walk({}, async (page) => {
  await signIn(page);
  await look(page, "an empty overview");
  await page.getByText("Nothing is wrong").waitFor();
  await page.getByRole("link", { name: "New handler" }).waitFor();

  const handler = await api("provisioning.handlers.create", { name: "CRM", event: "clients.*", task: url });
  for (let number = 0; number < 5; number += 1) await api("clients.create", { name: `client ${number}`, credit: 5 });
  await api("accounting.transactions.create", { clients_id: 1, type: "charge", amount: -1 });
  await until("all are delivered", async () => (await api("provisioning.executions.search", { limit: 100 })).length === 6);
  // What is new comes by itself: the page is not loaded again.
  const slowest = page.locator("#slowest");
  await slowest.getByRole("link", { name: "CRM" }).waitFor();
  await page.locator("#fallen").getByText("fell to zero or below").waitFor();
  await until("events are counted, every few seconds", async () => /Events, 24 hours\s+[1-9]/.test(await page.locator("#day").innerText()));
  await until("six calls are counted", async () => /Calls, 24 hours\s+6\b/.test(await page.locator("#day").innerText()));
  await shot(page, "overview");
  // A figure leads to the rows that it counts: those of these 24 hours.
  assert.match(await page.locator("#day").getByRole("link", { name: "6", exact: true }).first().getAttribute("href"), /dt_from=20/);

  // It breaks, and somebody stops it: the sentence leads to the handler.
  status = 503;
  await api("clients.update", { id: 1, notes: "x" });
  await page.locator("#failures").getByText("CRM").first().waitFor();
  await api("provisioning.handlers.pause", { id: handler.id, reason: "maintenance" });
  await page.locator("#troubles").getByText("1 thing needs attention").waitFor();
  await look(page, "an overview of trouble");
  const trouble = page.locator("#troubles").getByRole("link", { name: /CRM is paused by admin: 1 delivery waits/ });
  assert.equal(await trouble.getAttribute("href"), `/provisioning/handlers/${handler.id}`);

  await go(page, "/status");
  await page.getByText("Version").first().waitFor();
  await shot(page, "status");

  // A page that is not updated any more says so.
  await go(page, "/");
  await page.context().clearCookies();
  await page.getByText("You are not signed in any more").waitFor();
  await look(page, "a page that stands still");
});

// In dark, on a phone, without a script; and for a reseller's reader, who sees his own only.
const other = await api("companies.create", { name: "Other" });
await api("users.create", { login: "other", password: "a reseller's password", role: "readonly", companies_id: other.id });
await walk({ colorScheme: "dark", viewport: { width: 375, height: 812 } }, async (page) => {
  await signIn(page);
  await look(page, "an overview on a phone");
  await page.getByText("Menu").click();
  await page.getByRole("link", { name: "Status", exact: true }).click();
  await page.waitForURL("**/status");
  await look(page, "the status on a phone");
  await shot(page, "status-phone-dark");
});
await walk({ javaScriptEnabled: false }, async (page) => {
  await signIn(page, "other", "a reseller's password");
  await go(page, "/");
  assert.equal(await page.getByRole("link", { name: "CRM" }).count(), 0, "somebody else's handler");
  assert.equal(await page.getByRole("link", { name: "New handler" }).count(), 0, "a reader makes none");
  await page.getByText("No balance has crossed zero today").waitFor();
  await go(page, "/status");
  assert.equal((await page.goto(`${base}/users`)).status() >= 400, true);
});
receiver.close();
