// Logs, deliveries, outcomes, events, resyncs and loops, with real little handlers that allow, change, refuse, fail, answer 1 MiB and
// answer a script.
import { exec } from "node:child_process";
import http from "node:http";
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

const SCRIPT = "<script>alert(1)</script>";
const PASSWORD = "correct-horse-battery";

/** The handlers: what each was sent last, and how those are doing that can be mended. */
const seen = {};
const manners = { crm: 500, billing: 410, reserver: 500, react: false, ping: false };
const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const { event, object } = JSON.parse(body);
  const path = request.url.slice(1);
  seen[path] = { body, headers: request.headers, event };
  const say = (status, reply = "") => response.writeHead(status).end(typeof reply === "string" ? reply : JSON.stringify(reply));
  const again = async (changes) => {
    const cause = request.headers["hookswitch-cause"];
    await fetch(`${base}/api/clients/${event.clients_id}`, {
      method: "PATCH", headers: { "X-Api-Key": process.env.KEY, "Hookswitch-Cause": cause }, body: JSON.stringify(changes),
    });
  };
  switch (path) {
    case "change": return say(200, object.credit === 1000 ? { data: { credit: 250 } } : {});
    case "refuse": if (object.name.startsWith("Loud")) return say(200, { verdict: "forbid", message: "<&".repeat(250) });
      return object.name.startsWith("Test") ? say(200, { verdict: "forbid", message: "prefix not ours", field: "name" }) : say(200, {});
    case "reserve": return event.stage === "outcome" ? say(manners.reserver) : say(200, {});
    case "crm": return say(manners.crm);
    case "billing": return say(manners.billing);
    case "big": return say(200, { pad: "<&\"'".repeat(1 << 18) });
    case "script": return say(200, SCRIPT);
    case "react":
      if (manners.react && event.events_id === "clients.create") await again({ notes: "seen" });
      return say(204);
    case "ping": case "pong":
      if (manners.ping && event.events_id === "clients.update") await again({ c_city: `${path} ${event.seq}` });
      return say(204);
    default: return say(204);
  }
});
await new Promise((up) => { server.listen(0, "127.0.0.1", up); });
const url = (path) => `http://127.0.0.1:${server.address().port}/${path}`;

const handler = (name, event, path, more = {}) => api("provisioning.handlers.create", { name, event, task: url(path), ...more });
const before = { type: "before" };
const one = async (method, params) => (await api(method, { limit: 1, ...params }))[0];
const newest = async () => (await one("provisioning.executions.search", {}))?.id ?? 0;
const count = async (params) => (await api("provisioning.deliveries.search", { limit: 1000, ...params })).length;

// An empty log says what it is for.
await walk({}, async (page) => {
  await signIn(page);
  for (const path of ["logs", "deliveries", "outcomes", "events", "resyncs", "loops"]) await go(page, `/provisioning/${path}`);
  await go(page, "/provisioning/logs");
  await page.getByText("There was none yet").waitFor();
  await page.getByRole("link", { name: "New handler" }).waitFor();
});

await handler("Fraud check", ["clients.create", "clients.update"], "change", { ...before, order: 10 });
await handler("Number check", "clients.create", "refuse", { ...before, order: 20 });
await handler("Tariff shadow", "clients.create", "shadow", { ...before, order: 30, status: "shadow" });
await handler("Kamailio", "clients.*", "told", { headers: { "X-Token": "secret" } });
const crm = await handler("CRM", ["clients.create", "clients.update"], "crm", { retries: [3600, 3600] });
const billing = await handler("Old billing", ["clients.create", "clients.update"], "billing");
await handler("Big answers", "clients.create", "big");
await handler(`Odd ${SCRIPT}`, "clients.create", "script");
await handler("Reacts", "clients.create", "react");
const client = (name, more = {}) => api("clients.create", { name, credit: 1000, ...more });
const first = await client(`Acme ${SCRIPT}`);
await assert.rejects(client("Test line"), /prefix not ours/);
await until("the calls are in the log", async () => (await api("provisioning.executions.search", { handlers_id: billing.id })).length);

// The log: live, filters, text.
await walk({}, async (page) => {
  await signIn(page);
  await go(page, "/provisioning/logs");
  assert.equal(await page.locator("tbody tr").count(), (await api("provisioning.executions.search", { limit: 50 })).length);
  await page.getByRole("link", { name: `Odd ${SCRIPT}` }).first().waitFor();
  await shot(page, "logs");

  // New rows gather, and nothing jumps.
  const rows = await page.locator("tbody tr").count();
  const known = await newest();
  await api("clients.update", { id: first.id, notes: "once" });
  const fresh = page.getByRole("button", { name: /^[0-9]+ new$/ });
  await fresh.waitFor();
  assert.equal(await page.locator("tbody tr").count(), rows, "no row came by itself");
  await until("all of its calls", async () => (await newest()) >= known + 3);
  await fresh.click();
  await until("they are put in", async () => (await page.locator("tbody tr").count()) > rows);
  // In live mode they come by themselves.
  await page.getByLabel("Live").check();
  await api("clients.update", { id: first.id, notes: "twice" });
  const id = await until("its last call", async () => (await newest()) >= known + 6 && newest());
  await page.locator(`tr[data-key="${id}"]`).waitFor();
  await page.getByLabel("Live").uncheck();

  // Filters are in the address, and a page opened there says the same.
  await page.getByLabel("Answer").selectOption("forbidden");
  await page.waitForURL("**status=forbidden**");
  assert.deepEqual(await page.locator("tbody .state").allInnerTexts(), ["⊘ refused"]);
  await go(page, `/provisioning/logs?handlers_id=${billing.id}&status=failed&events_id=clients.create`);
  assert.equal(await page.getByLabel("Handler").inputValue(), String(billing.id));
  assert.equal(await page.locator("tbody tr").count(), 1);

  // A text alone is looked for in the last day; in more it is refused in plain words, with a way out.
  await page.goto(`${base}/provisioning/logs`);
  await page.getByLabel("Text in data or error").fill("prefix not ours");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("The text was looked for in the last 24 hours").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await look(page);
  await go(page, "/provisioning/logs?q=prefix&dt_from=2020-01-01&dt_to=2030-01-01");
  await page.getByText("needs a handler, a client, or dates").waitFor();
  await page.getByText("Nothing was searched").waitFor();
  await shot(page, "logs-too-wide");
  await page.getByRole("link", { name: "the last 24 hours" }).click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await go(page, "/provisioning/logs?q=prefix&dt_from=2020-01-01&dt_to=2030-01-01&clients_id=999");
  await page.getByText("No call is like that").waitFor();
  // What can't be read is said where it was typed.
  await go(page, "/provisioning/logs?clients_id=abc&dt_from=tomorrow&event_id=1");
  for (const words of ["must be a whole number", "must be a time", "must be the id of an event"]) await page.getByText(words).first().waitFor();
});

// One call: what was sent, what came back, the whole action, the same with curl.
await walk({}, async (page) => {
  await signIn(page);
  const refused = await one("provisioning.executions.search", { status: "forbidden" });
  await go(page, `/provisioning/logs/${refused.id}`);
  const asked = page.getByRole("table", { name: "Who was asked" });
  await asked.getByText("changed").waitFor();
  assert.match(await asked.innerText(), /credit 1000 → 250/);
  await asked.getByText("prefix not ours").waitFor();
  await page.getByText("Nobody was told: nothing was changed.").waitFor();
  assert.equal(await page.getByRole("link", { name: "Ask again in test" }).count(), 0, "what was refused is no event");
  await shot(page, "log-refused");
  await asked.getByRole("link", { name: "Fraud check" }).click();
  await page.getByRole("heading", { name: "What it changed" }).waitFor();
  await look(page);

  // The command makes the very same call, whatever is in the name.
  const told = await one("provisioning.executions.search", { handlers_id: (await one("provisioning.handlers.search", { name: "Kamailio" })).id, events_id: "clients.create" });
  await go(page, `/provisioning/logs/${told.id}`);
  assert.match(await page.getByRole("link", { name: "Ask again in test" }).getAttribute("href"), new RegExp(`/edit\\?test_event=${told.event_id}$`));
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy as curl" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const { request } = await api("provisioning.executions.get", { id: told.id });
  delete seen.told;
  await new Promise((done) => { exec(command, { shell: "/bin/bash" }, done); });
  assert.equal(seen.told.body, request);
  for (const [name, value] of Object.entries({ "content-type": "application/json", "hookswitch-event": "clients.create",
    "hookswitch-stage": "after", "hookswitch-attempt": "1", "webhook-id": told.event_id, "x-token": "********" })) {
    assert.equal(seen.told.headers[name], value, name);
  }

  // A reply of 1 MiB, all of it to be escaped, does not break the page; its beginning is there, the rest a click away.
  const big = await one("provisioning.executions.search", { handlers_id: (await one("provisioning.handlers.search", { name: "Big answers" })).id });
  await go(page, `/provisioning/logs/${big.id}`);
  const [plain] = await Promise.all([page.waitForResponse(/\/reply$/), page.getByRole("link", { name: "All of it as plain text" }).click()]);
  assert.equal(plain.headers()["content-type"], "text/plain; charset=utf-8");
  assert.ok((await plain.text()).length > 60_000);
  // A script in a reply is a text.
  const odd = await one("provisioning.executions.search", { response: SCRIPT, clients_id: first.id });
  await go(page, `/provisioning/logs/${odd.id}`);
  await page.locator("pre", { hasText: SCRIPT }).first().waitFor();
  await go(page, "/provisioning/logs/999999", 404);
});

// Deliveries: one is looked at, sent again, discarded; some; all.
await walk({}, async (page) => {
  await signIn(page);
  await client("Bravo");
  await client("Charlie");
  await until("all are tried", async () => (await count({ state: "dead" })) === 5 && (await count({ state: "retrying" })) === 3);
  await go(page, "/provisioning/deliveries");
  const standing = page.locator("#standing");
  await standing.getByRole("row", { name: "Old billing" }).getByRole("link", { name: "5" }).click();
  await page.waitForURL(`**handlers_id=${billing.id}&state=dead`);
  assert.equal(await page.locator('tbody input[type="checkbox"]').count(), 5);
  await page.goto(`${base}/provisioning/deliveries`);
  await shot(page, "deliveries");

  // An update waits behind the create that is retried.
  const waiting = await one("provisioning.deliveries.search", { state: "waiting" });
  await go(page, `/provisioning/deliveries/${waiting.id}`);
  await page.getByText("It waits behind").getByRole("link").click();
  await page.getByRole("heading", { name: "retrying" }).waitFor();
  await look(page);
  await shot(page, "delivery");
  // Tried now: it fails again, and its page says so.
  await page.getByRole("button", { name: "Try now" }).click();
  await page.getByText("is sent again").waitFor();
  await page.getByRole("heading", { name: "What handlers did" }).waitFor();
  await look(page);

  // A dead one that a later event has overtaken is asked about.
  manners.billing = 204;
  const dead = await one("provisioning.deliveries.search", { state: "dead", clients_id: first.id, events_id: "clients.create" });
  await go(page, `/provisioning/deliveries/${dead.id}`);
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("has overtaken what was chosen").waitFor();
  await look(page);
  await shot(page, "delivery-overtaken");
  await page.getByRole("button", { name: "Send 1 delivery all the same" }).click();
  await page.getByText("1 delivery sent again").waitFor();
  await until("it is delivered", async () => (await count({ state: "dead" })) === 4);
  assert.equal(seen.billing.headers["hookswitch-resend"], "true");
  // It is there no more: its page says where to look.
  await go(page, `/provisioning/deliveries/${dead.id}`, 404);
  await page.getByText("This delivery is not waiting").waitFor();

  // Where some were overtaken, they go along only if that is ticked.
  manners.billing = 410;
  await go(page, "/provisioning/deliveries/resend?state=dead");
  await page.getByText("Chosen: 4 deliveries").waitFor();
  assert.equal(await page.getByLabel("Also 1 delivery that a later event of the same object has overtaken").isChecked(), false);
  await shot(page, "resend");
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("3 deliveries sent again; 1 left out").waitFor();
  await until("they are dead again", async () => (await count({ state: "dead" })) === 4);

  // Nothing ticked, then one: a discard says how many, and wants a reason.
  await go(page, "/provisioning/deliveries?state=dead");
  await page.getByRole("button", { name: "Discard the ticked ones" }).click();
  await page.getByText("Nothing is chosen").waitFor();
  await page.goto(`${base}/provisioning/deliveries?state=dead`);
  const ticked = await page.locator('tbody input[type="checkbox"]').first().inputValue();
  const gone = await api("provisioning.deliveries.get", { id: Number(ticked) });
  await page.locator('tbody input[type="checkbox"]').first().check();
  await page.getByRole("button", { name: "Discard the ticked ones" }).click();
  await page.getByRole("button", { name: "Discard 1 delivery" }).click();
  await page.getByText("is required: the log says why").first().waitFor();
  await look(page);
  assert.equal(await count({ state: "dead" }), 4, "nothing was discarded yet");
  await page.getByLabel("Reason").fill("no longer <b>ours");
  await page.getByRole("button", { name: "Discard 1 delivery" }).click();
  await page.getByText("1 delivery discarded").waitFor();
  assert.equal(await count({ state: "dead" }), 3);
  const discarded = await one("provisioning.executions.search", { event_id: gone.event_id, handlers_id: gone.handlers_id });
  assert.equal(discarded.error, "discarded by admin: no longer <b>ours");

  // Some: two ticked.
  await go(page, "/provisioning/deliveries?state=retrying");
  for (const at of [0, 1]) await page.locator('tbody input[type="checkbox"]').nth(at).check();
  manners.crm = 204;
  await page.getByRole("button", { name: "Send the ticked ones again" }).click();
  await page.getByRole("button", { name: "Send 2 deliveries again" }).click();
  await page.getByText("2 deliveries sent again").waitFor();
  await until("they are delivered", async () => (await count({ state: "retrying" })) === 1);

  // All that the filters choose.
  await go(page, `/provisioning/deliveries?handlers_id=${billing.id}&state=dead`);
  await page.getByRole("link", { name: "Discard all 3 deliveries" }).click();
  await page.getByText("Chosen: 3 deliveries").waitFor();
  await shot(page, "discard");
  await page.getByLabel("Reason").fill("closed");
  // One more has come since: it is asked about again.
  await page.locator('input[name="said"]').evaluate((box) => { box.value = "2"; });
  await page.getByRole("button", { name: "Discard 3 deliveries" }).click();
  await page.getByText("Nothing was done yet").waitFor();
  assert.equal(await count({ state: "dead" }), 3);
  assert.equal(await page.getByLabel("Reason").inputValue(), "closed");
  await page.getByRole("button", { name: "Discard 3 deliveries" }).click();
  await page.getByText("3 deliveries discarded").waitFor();
  assert.equal(await count({ state: "dead" }), 0);
  // Twice is not done twice.
  await go(page, "/provisioning/deliveries/discard?state=dead");
  await page.getByText("There is nothing to discard").waitFor();
  await go(page, "/provisioning/deliveries/discard?state=rotten", 400);
  // A filter that is mistyped would choose all.
  await go(page, "/provisioning/deliveries/discard?handler_id=7&state=dead", 400);
});

// Events: what came of what.
await walk({}, async (page) => {
  await signIn(page);
  manners.react = true;
  const delta = await client("Delta");
  const reaction = await until("the reaction", () => one("provisioning.events.search", { clients_id: delta.id, events_id: "clients.update" }));
  await go(page, `/provisioning/events?clients_id=${delta.id}`);
  assert.equal(await page.locator("tbody tr").count(), 2);
  await shot(page, "events");
  await page.getByRole("link", { name: "a handler's reaction" }).click();
  await page.getByRole("heading", { name: "What came of it" }).waitFor();
  await look(page);
  await page.getByRole("listitem").getByRole("link", { name: "Clients: update" }).click();
  await page.waitForURL(`**/${reaction.id}`);
  await page.getByRole("table", { name: "What was changed" }).getByText("seen").waitFor();
  await look(page);
  await shot(page, "event");
  // New events gather as calls do.
  await go(page, "/provisioning/events");
  await client("Echo");
  await page.getByRole("button", { name: /^[0-9]+ new$/ }).click();
  await page.getByRole("link", { name: "Echo" }).first().waitFor();
  await go(page, "/provisioning/events/019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11", 404);
  await go(page, "/provisioning/events/rubbish", 400);
});

// Outcomes that a before handler does not take.
await walk({}, async (page) => {
  await signIn(page);
  await handler("Reserver", "clients.create", "reserve", { ...before, notify_outcome: true });
  await client("Foxtrot");
  await until("it is told in vain", () => one("provisioning.outcomes.search", { state: "retrying" }));
  await go(page, "/provisioning/outcomes");
  await page.locator("#standing").getByRole("row", { name: "Reserver" }).getByRole("link", { name: "1" }).click();
  await page.waitForURL("**state=retrying");
  await look(page);
  await shot(page, "outcomes");
  manners.reserver = 204;
  await page.locator('tbody input[type="checkbox"]').check();
  await page.getByRole("button", { name: "Send the ticked ones again" }).click();
  await page.getByRole("button", { name: "Send 1 outcome again" }).click();
  await until("it is told", async () => (await api("provisioning.outcomes.search", {})).length === 0);
});

// Resyncs are paused, resumed and cancelled; what a loop did is told.
await walk({}, async (page) => {
  await signIn(page);
  const kamailio = await one("provisioning.handlers.search", { name: "Kamailio" });
  const { id } = await api("provisioning.handlers.resync", { id: kamailio.id, rate: 1 });
  await go(page, "/provisioning/resyncs");
  await page.getByRole("link", { name: `resync ${id}` }).click();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(`Resync ${id} is paused`).waitFor();
  assert.equal((await api("provisioning.resyncs.get", { id })).state, "paused");
  await look(page);
  await shot(page, "resync");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText(`Resync ${id} goes on`).waitFor();
  assert.notEqual((await api("provisioning.resyncs.get", { id })).state, "paused");
  await page.getByRole("button", { name: /^Cancel the last/ }).click();
  await page.getByText(`Resync ${id} is cancelled`).waitFor();
  assert.equal((await api("provisioning.resyncs.get", { id })).state, "cancelled");
  await go(page, "/provisioning/resyncs");
  await go(page, "/provisioning/resyncs/999", 404);

  await handler("Ping", "clients.update", "ping");
  await handler("Pong", "clients.update", "pong");
  manners.ping = true;
  await api("clients.update", { id: first.id, c_city: "begun" });
  await until("the loop is found", () => one("provisioning.loops.search", {}));
  manners.ping = false;
  await go(page, "/provisioning/loops");
  await shot(page, "loops");
  await page.getByRole("link", { name: "Ping and Pong answer each other" }).click();
  await page.getByText("eight deep").waitFor();
  assert.ok(await page.locator(".timeline li").count() > 2);
  await look(page);
  await shot(page, "loop");
});

// Without JavaScript: the same by forms and links.
await walk({ javaScriptEnabled: false }, async (page) => {
  await signIn(page);
  await go(page, "/provisioning/logs");
  assert.equal(await page.getByLabel("Live").isVisible(), false);
  await page.getByLabel("Answer").selectOption("forbidden");
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.locator("tbody tr a").first().click();
  await page.getByText("The same call with curl").click();
  await page.getByText("--data-raw").waitFor();
  assert.equal(await page.getByRole("button", { name: "Copy as curl" }).isVisible(), false);
  // Of one handler: another one's may die meanwhile.
  const dead = { state: "dead", handlers_id: billing.id };
  const golf = await client("Golf");
  await until("it is dead", () => one("provisioning.deliveries.search", { ...dead, clients_id: golf.id }));
  await go(page, `/provisioning/deliveries?state=dead&handlers_id=${billing.id}`);
  const before_it = await count(dead);
  await page.locator('tbody input[type="checkbox"]').first().check();
  await page.getByRole("button", { name: "Discard the ticked ones" }).click();
  await page.getByLabel("Reason").fill("by hand");
  await page.getByRole("button", { name: "Discard 1 delivery" }).click();
  await page.getByText("1 delivery discarded").waitFor();
  assert.equal(await count(dead), before_it - 1);
});

// Whoever writes nothing but what has to be escaped makes no page too long (look says so).
await walk({}, async (page) => {
  await signIn(page);
  for (let at = 0; at < 50; at += 1) await assert.rejects(client(`Loud ${"<&".repeat(60)}`));
  await until("all are in the log", async () => (await api("provisioning.executions.search", { status: "forbidden", limit: 100 })).length === 51);
  await go(page, "/provisioning/logs?status=forbidden");
  assert.equal(await page.locator("tbody tr").count(), 50);
  await page.locator("tbody tr a").first().click();
  await page.getByRole("heading", { name: "The whole action" }).waitFor();
  await look(page);
});

// On a phone, in the dark.
await walk({ viewport: { width: 375, height: 800 }, colorScheme: "dark" }, async (page) => {
  await signIn(page);
  const call = await one("provisioning.executions.search", { status: "forbidden" });
  const delivery = await one("provisioning.deliveries.search", {});
  const loop = await one("provisioning.loops.search", {});
  const paths = ["logs", `logs/${call.id}`, "deliveries", `deliveries/${delivery.id}`, "deliveries/discard?state=dead", "outcomes", "events",
    `events/${delivery.event_id}`, "resyncs", "loops", `loops/${loop.id}`];
  for (const path of paths) await go(page, `/provisioning/${path}`);
  await go(page, "/provisioning/logs");
  await shot(page, "logs-phone");
  await go(page, `/provisioning/logs/${call.id}`);
  await shot(page, "log-phone");
});

// A reseller's reader sees his own, and can change nothing.
await walk({}, async (page) => {
  const reseller = await api("companies.create", { name: "Reseller", currencies_id: 1 });
  await api("users.create", { login: "reader", role: "readonly", companies_id: reseller.id, password: PASSWORD });
  const his = await client("Hotel", { companies_id: reseller.id });
  await until("it is told", () => one("provisioning.executions.search", { clients_id: his.id, stage: "after" }));
  await signIn(page, "reader", PASSWORD);
  await go(page, "/provisioning/logs");
  assert.ok(await page.locator("tbody tr").count() > 0);
  assert.equal(await page.getByText("Acme").count(), 0);
  const mine = await one("provisioning.executions.search", { clients_id: his.id, stage: "before" });
  await go(page, `/provisioning/logs/${mine.id}`);
  const others = await one("provisioning.executions.search", { clients_id: first.id });
  await go(page, `/provisioning/logs/${others.id}`, 404);
  await go(page, `/provisioning/events/${others.event_id}`, 404);
  for (const path of ["deliveries", "outcomes", "events", "resyncs", "loops"]) await go(page, `/provisioning/${path}`);
  await go(page, "/provisioning/deliveries");
  assert.equal(await page.getByRole("button", { name: /ticked/ }).count(), 0);
  const refused = await page.request.post(`${base}/provisioning/deliveries/discard`, { form: { state: "dead", reason: "x" } });
  assert.equal(refused.status(), 403);
});
server.close();
