// Billing and system objects: each is made, changed and ended by forms, as the roles allow; a client's page says what happened to it
// and who knows. Before handlers refuse, warn and change from a real server.
import { createServer } from "node:http";
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

const EVIL = "<script>alert(1)</script>";

/** A carrier's own server: `/before` is asked, `/fine` and `/broken` are told. */
const asked = [];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (more) => { body += more; });
  request.on("end", () => {
    const { data, event } = JSON.parse(body);
    asked.push({ path: request.url, event, data });
    if (request.url === "/broken") { response.writeHead(500).end("out of order"); return; }
    if (request.url !== "/before") { response.end("{}"); return; }
    const notes = data.notes ?? "";
    if (notes.includes("refuse")) response.writeHead(403).end(JSON.stringify({ message: `not ours ${EVIL}`, field: "notes" }));
    else if (notes.includes("warn")) response.end(JSON.stringify({ warnings: [`look at ${EVIL}`] }));
    else if (notes.includes("change")) response.end(JSON.stringify({ data: { credit: 7.25 } }));
    else if (data.contract === "taken") response.writeHead(403).end(JSON.stringify({ message: "that contract is taken", field: "contract" }));
    else response.end("{}");
  });
});
await new Promise((go) => server.listen(0, "127.0.0.1", go));
const at = `http://127.0.0.1:${server.address().port}`;

const main = (page) => page.locator("main");
const send = (page, name = "Save") => main(page).getByRole("button", { name, exact: true }).click();
/** What is wrong with a box, as it is said beside it. */
const fault = async (page, name) => (await page.locator(`[id="in-${name.replace(/[^a-z0-9]/gi, "-")}-error"]`).textContent()).trim();
const said = (page, words) => page.getByRole("status").getByText(words).waitFor();
const idOf = (page) => Number(new URL(page.url()).pathname.split("/")[2]);
const box = (page, name) => page.locator(`[name="${name}"]:not([type=hidden])`);

await api("provisioning.handlers.create", {
  name: "Fraud check", type: "before", event: ["clients.create", "clients.update", "clients.custom_fields.update"], task: `${at}/before`,
});
const told = ["clients.create", "clients.update", "clients.archive", "clients.delete", "clients.custom_fields.update",
  "clients.balance_zero", "clients.balance_notzero", "clients.accounts.*", "clients.packages.*"];
await api("provisioning.handlers.create", { name: "Kamailio", event: told, task: `${at}/fine` });
await api("provisioning.handlers.create", { name: `CRM ${EVIL}`, event: told, task: `${at}/broken`, retries: [600] });

// Everything by forms, with what is wrong at its box.
let clients_id;
await walk({}, async (page) => {
  await signIn(page);

  // Empty lists teach.
  await go(page, "/clients");
  await page.getByText("A client is who pays").waitFor();
  await shot(page, "clients-none");

  // A reseller, a custom field of clients, one of packages.
  await go(page, "/resellers/new");
  await box(page, "name").fill("North");
  await box(page, "timezone").fill("Nowhere/Land");
  await send(page, "Create");
  assert.match(await fault(page, "timezone"), /time zone/);
  await box(page, "timezone").fill("Europe/Berlin");
  await send(page, "Create");
  await said(page, "was created");
  const [north] = await api("companies.search", { order: ["-id"], limit: 1 });
  assert.deepEqual([north.name, north.timezone], ["North", "Europe/Berlin"]);

  await go(page, "/custom-fields/new");
  await box(page, "title").fill(`Contract ${EVIL}`);
  await box(page, "key").fill("1 no key");
  await box(page, "order").fill("none");
  await send(page, "Create");
  assert.ok(await fault(page, "key"));
  assert.ok(await fault(page, "order"), "all that is wrong is said at once");
  await look(page);
  await box(page, "key").fill("contract");
  await box(page, "order").fill("5");
  await send(page, "Create");
  await said(page, "was created");
  const [definition] = await api("custom_fields.search", {});
  assert.deepEqual([definition.key, definition.order, definition.companies_id], ["contract", 5, null]);
  await api("custom_fields.create", { object_type: "packages", key: "sku", title: "Stock number", companies_id: null });
  await look(page);

  // A package with its custom field.
  await go(page, "/packages/new");
  await box(page, "name").fill(`Basic ${EVIL}`);
  await box(page, "period").fill("a month");
  await box(page, "period_fee").fill("-1");
  await send(page, "Create");
  assert.ok(await fault(page, "period"));
  assert.ok(await fault(page, "period_fee"));
  await shot(page, "package-refused");
  await look(page);
  await box(page, "period").fill("P1M");
  await box(page, "period_fee").fill("10.000001");
  await page.getByLabel("Stock number").fill("B-1");
  await send(page, "Create");
  await said(page, "was created");
  const [basic] = await api("packages.search", {});
  assert.deepEqual([basic.period_fee, basic.custom_fields], [10.000001, { sku: "B-1" }]);
  await look(page);
  await go(page, `/packages/${basic.id}`);
  await page.getByLabel("Stock number").fill("");
  await send(page);
  await said(page, "was saved");
  assert.deepEqual((await api("packages.get", { id: basic.id })).custom_fields, {}, "an emptied box takes the value away");
  await api("packages.update", { id: basic.id, period_fee: 10 });

  // A client: every wrong field at once; a handler's refusal at the field that it names; nothing typed is lost.
  await go(page, "/clients/new");
  await shot(page, "client-new");
  await page.evaluate(() => document.querySelectorAll("[required]").forEach((box) => box.removeAttribute("required")));
  await box(page, "credit").fill("much");
  await send(page, "Create");
  assert.match(await fault(page, "name"), /required/);
  assert.match(await fault(page, "credit"), /number/);
  await page.getByRole("alert").getByRole("link", { name: "credit" }).waitFor();
  await look(page);
  await box(page, "name").fill(`Acme ${EVIL}`);
  await box(page, "credit").fill("100");
  await box(page, "notes").fill(`refuse ${EVIL}`);
  await page.getByText("Contact:").click();
  await box(page, "c_city").fill("Köln");
  await page.getByLabel("Contract").fill("C-17");
  await send(page, "Create");
  assert.match(await fault(page, "notes"), /not ours <script>/);
  assert.equal(await box(page, "c_city").inputValue(), "Köln");
  assert.equal(await page.getByLabel("Contract").inputValue(), "C-17");
  await page.getByRole("alert").getByText("The handler “Fraud check” refused this").waitFor();
  await look(page);
  await shot(page, "client-refused");
  assert.equal((await api("clients.search", {})).length, 0, "nothing was made");

  // One that warns.
  await box(page, "notes").fill(`warn ${EVIL}`);
  await send(page, "Create");
  await said(page, "look at <script>");
  clients_id = idOf(page);
  const acme = await api("clients.get", { id: clients_id });
  assert.deepEqual([acme.name, acme.credit, acme.c_city, acme.custom_fields.contract], [`Acme ${EVIL}`, 100, "Köln", "C-17"]);
  await look(page);

  // One that changes what was sent.
  await page.getByRole("link", { name: "Edit" }).click();
  await look(page);
  await box(page, "notes").fill("change it");
  await send(page);
  await said(page, "was saved");
  assert.equal((await api("clients.get", { id: clients_id })).credit, 7.25);
  await api("clients.update", { id: clients_id, credit: 100 });

  // Own fields and custom ones together: what is wrong with either is said at once, and nothing is half saved.
  await go(page, `/clients/${clients_id}/edit`);
  await box(page, "credit").fill("x");
  await page.getByLabel("Contract").fill("y".repeat(5000));
  await send(page);
  assert.match(await fault(page, "credit"), /number/);
  assert.ok(await fault(page, "custom-fields-contract"));
  await look(page);
  await box(page, "credit").fill("100");
  await page.getByLabel("Contract").fill("taken");
  await send(page);
  assert.equal(await fault(page, "custom-fields-contract"), "that contract is taken");
  await page.getByLabel("Contract").fill("C-18");
  await send(page);
  await said(page, "was saved");
  assert.equal((await api("clients.custom_fields.get", { id: clients_id })).contract, "C-18");

  // Long notes, and a key of the first API generation that holds JSON: neither is touched by a form that changes something else.
  const notes = "a line of notes & more\n".repeat(2500);
  await api("clients.update", { id: clients_id, notes, groups: { a: [1, "0044"] } });
  await go(page, `/clients/${clients_id}/edit`);
  await box(page, "tags").fill("voice\nwholesale");
  await send(page);
  await said(page, "was saved");
  const kept = await api("clients.get", { id: clients_id });
  assert.deepEqual([kept.notes, kept.groups, kept.tags], [notes, { a: [1, "0044"] }, ["voice", "wholesale"]]);
  await look(page);
  await api("clients.update", { id: clients_id, notes: "short" });
  await go(page, `/clients?q=${clients_id}`);
  await page.getByText(`Client #${clients_id} is`).waitFor();

  // Unlimited credit is an empty box.
  await go(page, `/clients/${clients_id}/edit`);
  await box(page, "credit").fill("");
  await send(page);
  await said(page, "was saved");
  assert.equal((await api("clients.get", { id: clients_id })).credit, null);
  await page.getByText("no limit").first().waitFor();
  await api("clients.update", { id: clients_id, credit: 100 });

  // Accounts: found by the client; a password is shown on demand, and stays if its box is left empty.
  await go(page, "/accounts/new");
  await page.getByLabel("Client’s name").fill("acme*");
  await send(page, "Search");
  await look(page);
  await main(page).getByRole("link", { name: "Acme" }).click();
  await send(page, "Create");
  assert.match(await fault(page, "accname"), /required/);
  await box(page, "auth_type").selectOption("ip");
  await box(page, "ips").fill("not an address\n192.0.2.0/28");
  await send(page, "Create");
  assert.ok(await fault(page, "ips"), "a wrong item is said at its list");
  await look(page);
  await box(page, "auth_type").selectOption("name");
  await box(page, "ips").fill("");
  await box(page, "accname").fill("acme1");
  await box(page, "name").fill(`Trunk ${EVIL}`);
  await box(page, "password").fill("s3cret-sip-password");
  await page.getByText("Calls:").click();
  await box(page, "orig_rate_tables_ids").fill("7\n12");
  await box(page, "term_enabled").uncheck();
  await send(page, "Create");
  await said(page, "was created");
  const [account] = await api("clients.accounts.search", { clients_id });
  assert.deepEqual([account.password, account.orig_rate_tables_ids, account.term_enabled], ["s3cret-sip-password", [7, 12], false]);
  await go(page, "/accounts");
  assert.ok(!(await page.content()).includes("s3cret-sip"), "no list shows a password");
  await go(page, `/accounts/${account.id}`);
  assert.ok(!(await page.locator("form.sheet").innerHTML()).includes("s3cret-sip"), "no box holds it");
  assert.ok(!(await page.content()).includes("s3cret-sip"), "nor does the account's page, unless it is asked to");
  await page.getByRole("link", { name: "Show the password" }).click();
  await page.getByText("s3cret-sip-password").waitFor();
  await shot(page, "account");
  await box(page, "name").fill("Trunk 1");
  await send(page);
  await said(page, "was saved");
  const saved = await api("clients.accounts.get", { id: account.id });
  assert.deepEqual([saved.name, saved.password, saved.orig_rate_tables_ids], ["Trunk 1", "s3cret-sip-password", [7, 12]]);
  await go(page, `/accounts/${account.id}`);
  await page.getByText("Show the password").click();
  await send(page, "Take it away");
  await said(page, "no password");
  assert.equal((await api("clients.accounts.get", { id: account.id })).password, null);

  // A payment from the client's page; wrong ones come back as the whole form.
  await go(page, `/clients/${clients_id}`);
  await page.getByLabel("Amount").fill("-5");
  await send(page, "Add payment");
  assert.match(await fault(page, "amount"), /above 0/);
  await look(page);
  await box(page, "amount").fill("60.05");
  await send(page, "Create");
  await said(page, "was created");
  await page.waitForURL(`**/clients/${clients_id}`);
  assert.equal((await api("clients.get", { id: clients_id })).balance, 60.05);

  // A package: given, activated by the clock, renewed too early, closed.
  await page.getByRole("link", { name: "Give a package" }).click();
  await look(page);
  await box(page, "quantity").fill("0");
  await send(page, "Create");
  assert.ok(await fault(page, "quantity"));
  await box(page, "quantity").fill("2");
  await send(page, "Create");
  await said(page, "was created");
  await until("the clock activates it", async () => (await api("clients.packages.search", { clients_id }))[0].condition === "activated");
  await go(page, `/clients/${clients_id}`);
  await send(page, "Renew");
  await page.getByRole("alert").getByText("can be renewed from").waitFor();
  await look(page);

  // Charges that go below zero, one that is refused because it is not covered, a correction.
  for (const amount of [-20.5, -19.55, -30.125]) await api("accounting.transactions.create", { clients_id, type: "charge", amount, notes: `call ${EVIL}` });
  await go(page, `/transactions/new?clients_id=${clients_id}`);
  await box(page, "type").selectOption("charge");
  await box(page, "amount").fill("-1000");
  await page.getByLabel("Only if balance and credit cover it").check();
  await send(page, "Create");
  await page.getByRole("alert").getByText("available").waitFor();
  await box(page, "amount").fill("-1");
  await send(page, "Create");
  await said(page, "was created");
  const [last] = await api("accounting.transactions.search", { clients_id, order: ["-id"], limit: 1 });
  await go(page, `/transactions/${last.id}`);
  await page.getByRole("link", { name: "Correct it" }).click();
  assert.equal(await box(page, "amount").inputValue(), "1");
  await send(page, "Create");
  await said(page, "was created");
  await go(page, `/transactions?clients_id=${clients_id}`);
  await page.getByText("-30.125").first().waitFor();
  await page.getByRole("cell", { name: "60.05" }).first().waitFor();
  await shot(page, "transactions");

  // The page that answers: what happened, and does everybody know?
  await api("clients.update", { id: clients_id, notes: `refuse ${EVIL}` }).then(() => assert.fail("refused"), () => {});
  await until("Kamailio is in step", async () => {
    const { handlers } = await api("provisioning.handlers.status", { clients_id });
    return handlers.find(({ name }) => name === "Kamailio").state === "in_step";
  });
  await until("the log has it", async () => (await api("provisioning.executions.search", { clients_id, status: "forbidden" })).length === 2);
  await go(page, `/clients/${clients_id}`);
  const known = page.locator("#known li");
  assert.match(await known.nth(0).innerText(), /in step Kamailio told/);
  assert.match(await known.nth(1).innerText(), /behind CRM <script>.*wait → why/);
  const why = await known.nth(1).getByRole("link", { name: "why" }).getAttribute("href");
  assert.match(why, new RegExp(`^/provisioning/deliveries\\?handlers_id=\\d+&clients_id=${clients_id}$`));
  const lines = await page.locator("#timeline > ol > li").allInnerTexts();
  const line = (words) => lines.find((text) => text.includes(words)) ?? assert.fail(`${words} is not among ${lines.join("\n")}`);
  assert.match(line("did not happen"), /Fraud check said no .*not ours <script>/);
  assert.match(line("Balance became ≤ 0"), /Kamailio told .*CRM/s);
  assert.match(line("activated"), /by the clock/);
  const events = await api("provisioning.events.search", { clients_id, limit: 100 });
  const changes = events.filter(({ events_id }) => events_id === "clients.update").map(({ changed }) => changed);
  assert.deepEqual(changes.at(-1), ["credit", "notes"], "a row says which keys an update changed");
  assert.match(line("Changed: credit, notes"), /by admin/);
  assert.deepEqual(events.at(-1).changed, []);
  assert.match(lines.at(-1), /Created by admin/);
  assert.equal(await page.locator("#state svg").getAttribute("role"), "img");
  await shot(page, "client");
  await page.emulateMedia({ media: "print" });
  await shot(page, "client-printed");
  assert.ok(!(await page.getByRole("button", { name: "Stop" }).isVisible()));
  await page.emulateMedia({ media: "screen" });

  // It is live.
  await api("accounting.transactions.create", { clients_id, type: "payment", amount: 500.25, notes: "while somebody looks" });
  await page.locator("#timeline").getByText("while somebody looks").waitFor();
  await page.locator("#state").getByText("470.125", { exact: true }).waitFor();

  // Stopped, and taken back.
  await send(page, "Stop");
  await said(page, "is stopped");
  assert.equal((await api("clients.get", { id: clients_id })).status, "stopped");
  await page.getByRole("button", { name: "Undo" }).click();
  await said(page, "is active again");
  assert.equal((await api("clients.get", { id: clients_id })).status, "active");

  // Archived with its package, and brought back.
  await page.getByText("Archive or delete").click();
  await shot(page, "client-ending");
  await send(page, "Archive and close 1 package for good");
  await said(page, "was archived");
  assert.equal((await api("clients.get", { id: clients_id })).status, "archived");
  await go(page, `/clients/${clients_id}/edit`);
  await box(page, "notes").fill("kept");
  await send(page);
  await said(page, "was saved");
  assert.equal((await api("clients.get", { id: clients_id })).status, "archived", "editing does not bring it back");
  await send(page, "Bring back");
  await said(page, "is back");
  assert.equal((await api("clients.get", { id: clients_id })).status, "active");

  // An account and a custom field are deleted; a package that somebody had can't be.
  await go(page, `/accounts/${account.id}`);
  await page.getByText("Delete this account").first().click();
  await send(page, "Delete this account");
  await said(page, "was deleted");
  assert.equal((await api("clients.accounts.search", { clients_id })).length, 0);
  const spare = await api("packages.create", { name: "Spare", period: "P1D" });
  const theirs = await api("clients.packages.assign", { clients_id, packages_id: spare.id, start_dt: "2099-01-01" });
  await go(page, `/packages/${spare.id}`);
  await page.getByText("Delete this package").first().click();
  await send(page, "Delete this package");
  await page.getByRole("alert").getByText("have this package").waitFor();
  await look(page);
  await go(page, `/client-packages/${theirs.id}`);
  await send(page, "Close for good");
  await said(page, "was closed");
  assert.equal((await api("clients.packages.get", { id: theirs.id })).condition, "closed");
  await go(page, "/client-packages");
  await shot(page, "client-packages");

  // Deleted: its balance is given up, and its page stays.
  await go(page, `/clients/${clients_id}`);
  await page.getByText("Archive or delete").click();
  await page.getByText("is given up").waitFor();
  await send(page, "Delete this client");
  await said(page, "was deleted");
  await go(page, `/clients/${clients_id}`);
  await page.getByText("This client was deleted").waitFor();
  await page.locator("#timeline").getByText("Deleted", { exact: true }).waitFor();
  await go(page, "/clients/4711", 404);
});

// Two people, one client; a form that is sent twice.
await walk({}, async (page, context) => {
  await signIn(page);
  const { id } = await api("clients.create", { name: "Shared", notes: "old", c_city: "Bonn" });
  const other = await context.newPage();
  await page.goto(`${base}/clients/${id}/edit`);
  await other.goto(`${base}/clients/${id}/edit`);
  await box(page, "notes").fill("by the first");
  await send(page);
  await said(page, "was saved");
  await other.getByText("Contact:").click();
  await box(other, "c_city").fill("Bremen");
  await send(other);
  await said(other, "was saved");
  const shared = await api("clients.get", { id });
  assert.deepEqual([shared.notes, shared.c_city], ["by the first", "Bremen"]);

  await page.goto(`${base}/clients/new`);
  await box(page, "name").fill("Once");
  const key = await page.evaluate(async () => {
    const form = document.querySelector("form.sheet");
    const body = new URLSearchParams(new FormData(form));
    await Promise.all([1, 2, 3].map(() => fetch(form.action, { method: "POST", body })));
    return body.get("idempotency_key");
  });
  await send(page, "Create");
  await said(page, "was created");
  assert.equal((await api("clients.search", { q: "Once" })).length, 1);
  // The same form with another name: it says that it was sent before, and makes another if that is meant.
  await page.goto(`${base}/clients/new`);
  await box(page, "name").fill("Twice");
  await page.evaluate((key) => { document.querySelector("form.sheet [name=idempotency_key]").value = key; }, key);
  await send(page, "Create");
  await page.getByRole("alert").getByText("was sent before").waitFor();
  await look(page);
  await send(page, "Create");
  await said(page, "was created");
  assert.equal((await api("clients.search", { q: "Twice" })).length, 1);
});

// A long story is told page by page, each event once, with what was booked and refused in its time.
await walk({}, async (page) => {
  await signIn(page);
  const { id } = await api("clients.create", { name: "Long story" });
  for (let at = 1; at <= 30; at += 1) {
    await api("clients.update", { id, tags: [`t${at}`] });
    if (at % 10 === 0) await api("accounting.transactions.create", { clients_id: id, type: "payment", amount: at });
  }
  await api("clients.update", { id, notes: "refuse" }).catch(() => {});
  await until("the log has it", async () => (await api("provisioning.executions.search", { clients_id: id, status: "forbidden" })).length);
  const seqs = async () => (await page.locator("#timeline li").allInnerTexts()).map((text) => /by admin #(\d+)/.exec(text)?.[1]).filter(Boolean).map(Number);
  await go(page, `/clients/${id}`);
  const first = await seqs();
  assert.equal(await page.getByText("did not happen").count(), 1);
  assert.equal(await page.getByRole("link", { name: "Later" }).count(), 0);
  await page.getByRole("link", { name: "Earlier" }).click();
  await page.getByRole("link", { name: "Later" }).waitFor();
  await look(page);
  const second = await seqs();
  assert.deepEqual([...first, ...second], Array.from({ length: 31 }, (_, at) => 31 - at));
  assert.equal(await page.getByText("did not happen").count(), 0);
  assert.match(await page.locator("#timeline li").last().innerText(), /Created/);
  await page.getByRole("link", { name: "Later" }).click();
  await page.waitForURL(`**/clients/${id}`);
  assert.deepEqual(await seqs(), first);
});

// Users: a key is shown once. Roles and resellers see what they may.
const north = (await api("companies.search", { name: "North" }))[0].id;
const theirs = await api("clients.create", { name: "A northern one", companies_id: north });
const ours = (await api("clients.search", { q: "Shared" }))[0];
const owned = await api("clients.accounts.create", { clients_id: theirs.id, accname: "north1", password: "s3cret-north-sip" });
await walk({}, async (page) => {
  await signIn(page);
  await go(page, "/users/new");
  await box(page, "login").fill("two words");
  await box(page, "password").fill("short");
  await box(page, "allowed_ips").fill("everywhere");
  await send(page, "Create");
  for (const name of ["login", "password", "allowed-ips"]) assert.ok(await fault(page, name));
  assert.equal(await box(page, "password").inputValue(), "", "a password is never sent back");
  assert.equal(await box(page, "password").evaluate((box) => box.required), true, "but typed again");
  await look(page);
  await shot(page, "user-refused");
  await box(page, "login").fill("reader");
  await box(page, "role").selectOption("readonly");
  await box(page, "companies_id").selectOption({ label: "North" });
  await box(page, "password").fill("a long password");
  await box(page, "allowed_ips").fill("127.0.0.0/8");
  await send(page, "Create");
  const key = await page.locator("#key").innerText();
  assert.ok(!page.url().includes(key));
  await look(page);
  await shot(page, "user-key");
  assert.deepEqual((await api("clients.search", {}, key)).map(({ name }) => name), ["A northern one"]);
  await page.reload();
  assert.equal(await page.locator("#key").count(), 0, "the same form again shows no key");

  const [reader] = await api("users.search", { login: "reader" });
  await go(page, `/users/${reader.id}`);
  assert.ok(!(await page.content()).includes(key));
  await page.getByLabel("Hours that the old key works on").fill("-1");
  await send(page, "Make a new key");
  assert.ok(await fault(page, "overlap-hours"));
  await look(page);
  await page.getByLabel("Hours that the old key works on").fill("1");
  await send(page, "Make a new key");
  const fresh = await page.locator("#key").innerText();
  assert.notEqual(fresh, key);
  for (const one of [key, fresh]) assert.equal((await api("clients.search", {}, one)).length, 1);

  await api("users.create", { login: "north-operator", role: "operator", companies_id: north, password: "a long password" });
  await api("users.create", { login: "leaving", role: "readonly" });
  const [leaving] = await api("users.search", { login: "leaving" });
  await go(page, `/users/${leaving.id}`);
  await page.getByText("Delete this user").first().click();
  await send(page, "Delete this user");
  await said(page, "was deleted");
  await look(page);
  await shot(page, "users");
  assert.equal((await api("users.search", { login: "leaving" })).length, 0);
});

await walk({}, async (page) => {
  await signIn(page, "reader", "a long password");
  await go(page, "/clients");
  assert.deepEqual(await page.locator("tbody tr td:first-child a").allInnerTexts(), ["A northern one"]);
  for (const path of ["/clients", `/clients/${theirs.id}`, "/accounts", `/accounts/${owned.id}`, "/packages", "/transactions", "/resellers", `/resellers/${north}`]) {
    await go(page, path);
    assert.equal(await main(page).locator("form[method=post], a.button").count(), 0, `${path} has no buttons for a reader`);
    assert.ok(!(await page.content()).includes("s3cret-north"), `${path} shows no password to a reader`);
  }
  for (const path of ["/clients/new", `/clients/${theirs.id}/edit`, "/users", "/packages/new"]) await go(page, path, 403);
  await go(page, `/clients/${ours.id}`, 404);
  assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
});

await walk({}, async (page) => {
  await signIn(page, "north-operator", "a long password");
  assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
  await go(page, "/users", 403);
  await go(page, `/clients/${ours.id}/edit`, 404);
  await go(page, "/clients/new");
  await box(page, "name").fill("Made in the north");
  await send(page, "Create");
  await said(page, "was created");
  assert.equal((await api("clients.search", { name: "Made in the north" }))[0].companies_id, north);
});

// Without JavaScript, on a phone, in the dark.
await walk({ javaScriptEnabled: false, viewport: { width: 375, height: 740 } }, async (page) => {
  await signIn(page);
  for (const path of ["/clients", "/clients/new", `/clients/${theirs.id}`, `/clients/${theirs.id}/edit`, `/accounts/${owned.id}`, "/packages", "/client-packages", "/transactions", "/custom-fields", "/users", "/users/new", "/resellers"]) {
    await go(page, path);
  }
  await go(page, `/clients/${theirs.id}`);
  await shot(page, "client-phone");
  await page.getByLabel("Amount").fill("12.5");
  await send(page, "Add payment");
  await said(page, "was created");
  assert.equal((await api("clients.get", { id: theirs.id })).balance, 12.5);
  await send(page, "Stop");
  await page.getByRole("button", { name: "Undo" }).click();
  assert.equal((await api("clients.get", { id: theirs.id })).status, "active");
});
await walk({ colorScheme: "dark" }, async (page) => {
  await signIn(page);
  for (const path of ["/clients", `/clients/${theirs.id}`, `/clients/${theirs.id}/edit`, "/users/new"]) await go(page, path);
  await go(page, `/clients/${theirs.id}`);
  await shot(page, "client-dark");
});
server.close();
server.closeAllConnections();
