// Provisioning / Handlers: the best practice of the mission step by step; the list, the form, the test, one handler, a resync.
import { createServer } from "node:http";
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

const SCRIPT = "<script>alert(1)</script>";

// The handler: a real little server, as the mission's example has it, that can be told to answer otherwise.
const calls = [];
let answer = () => [200, {}];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    const call = { path: request.url, headers: request.headers, body: JSON.parse(body) };
    calls.push(call);
    const [status, said] = answer(call);
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
  });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const address = `127.0.0.1:${server.address().port}`;
const url = (path) => `http://${address}${path}`;
const apply = (page) => page.getByRole("button", { name: "Apply" }).click();
const box = (page, label) => page.getByLabel(label, { exact: true });
const more = async (page) => { if (!await page.locator("details.rest").evaluate((part) => part.open)) await page.getByText("More:").click(); };
const name = (page) => page.getByLabel("Name (required)");
const make = (more) => api("provisioning.handlers.create", { event: "clients.create", task: url("/api"), ...more });

// The best practice, as the mission has it: Provisioning, a new handler, its name, type and status, the event, the task, Apply.
await walk({}, async (page) => {
  await signIn(page);
  await go(page, "/provisioning/handlers");
  await page.getByText("A handler is a program of yours").waitFor();
  await page.locator("pre", { hasText: "provisioning.handlers.create" }).waitFor({ state: "attached" });
  await shot(page, "handlers-none");
  await page.getByRole("link", { name: "New handler" }).first().click();
  await look(page);
  await shot(page, "handler-new");
  await name(page).fill("CRM");
  await box(page, "Type").selectOption("after");
  await box(page, "Event").selectOption({ label: "Clients: create" });
  await box(page, "Task").selectOption("http");
  await box(page, "Host and port").fill(`${address}/api`);
  await box(page, "Status").selectOption("enabled");
  await apply(page);
  await page.getByText("counts from the next event on").waitFor();
  await look(page);
  const secret = await page.locator("#secret").innerText();
  assert.match(secret, /^whsec_/);
  assert.ok(!page.url().includes("whsec"), "a secret is in no address");
  assert.ok(!(await page.context().cookies()).some((cookie) => cookie.value.includes("whsec")));
  const [handler] = await api("provisioning.handlers.search", {});
  assert.deepEqual([handler.name, handler.type, handler.status, handler.event, handler.task], ["CRM", "after", "enabled", "clients.create", url("/api")]);

  const client = await api("clients.create", { name: `Acme ${SCRIPT}` });
  const [call] = await until("the call is in the log", async () => {
    const rows = await api("provisioning.executions.search", { handlers_id: handler.id, clients_id: client.id });
    return rows.length ? rows : undefined;
  });
  assert.equal(call.status, "success");
  assert.equal(calls.at(-1).body.data.name, `Acme ${SCRIPT}`);

  await page.getByRole("link", { name: "How it is doing" }).click();
  assert.equal(await page.locator("#secret").count(), 0, "it is shown once");
  await look(page);
  await page.getByRole("row", { name: /Clients: create/ }).getByText("success").waitFor();
  await box(page, "Client's id").fill(String(client.id));
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("Yes: it has heard all that it is to hear of him.").waitFor();
  await look(page);
  await box(page, "Client's id").fill("4711000");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("There is no client 4711000").waitFor();
  await api("provisioning.handlers.delete", { id: handler.id, force: true });
});

// Wrong input in every box: said at the box, and nothing of what was typed is lost. Once with scripts, once without.
for (const javaScriptEnabled of [true, false]) {
  await walk({ javaScriptEnabled }, async (page) => {
    await signIn(page);
    await go(page, "/provisioning/handlers/new");
    const wrong = async (field, words) => {
      await page.locator(`.wrong #in-${field}, .wrong#in-${field}`).waitFor();
      await page.locator(`.wrong:has(#in-${field}) .error, .wrong#in-${field} .error`).getByText(words).waitFor();
    };
    await name(page).fill(`Wrong ${SCRIPT}`);
    await box(page, "Host and port").fill("127.0.0.1:99999");
    await box(page, "Event").selectOption({ label: "Clients: balance became <=0" });
    await box(page, "Type").selectOption("before");
    await box(page, "Order").fill("first");
    await more(page);
    await box(page, "Time limit (ms)").fill("40000");
    await box(page, "Calls at once").fill("0");
    await box(page, "Keys that it may change").fill("x".repeat(70));
    await apply(page);
    await page.getByRole("alert").waitFor();
    for (const field of ["order", "timeout_ms", "concurrency", "writable"]) await wrong(field.replace("_", "-"), /must be|at most/);
    await look(page);
    assert.equal(await name(page).inputValue(), `Wrong ${SCRIPT}`);
    await box(page, "Order").fill("1");
    await box(page, "Time limit (ms)").fill("100");
    await box(page, "Calls at once").fill("1");
    await box(page, "Keys that it may change").fill("none");
    await apply(page);
    await wrong("event", /can only be told after it happened/);
    await wrong("type", /must be after/);
    await box(page, "Type").selectOption("after");
    await more(page);
    if (!javaScriptEnabled) await box(page, "Keys that it may change").fill("");
    await box(page, "Waits between attempts (s)").fill("5, soon");
    await apply(page);
    await wrong("retries", /must be|whole number|integer/);
    await box(page, "Waits between attempts (s)").fill("5, 30");
    await page.getByLabel("Condition", { exact: true }).fill("data.");
    await page.getByLabel("Name of header 1").fill("Content-Type");
    await page.getByLabel("Value of header 1").fill("x");
    await apply(page);
    await wrong("headers", /every call has/);
    await page.getByLabel("Name of header 1").fill("X-A");
    await page.getByLabel("Name of header 2").fill("x-a");
    await page.getByLabel("Value of header 2").fill("y");
    await apply(page);
    await wrong("headers", /twice/);
    await page.getByLabel("Name of header 2").fill("X-B");
    await apply(page);
    await wrong("task", /./);
    await wrong("condition", /./);
    if (javaScriptEnabled) await shot(page, "handler-wrong");
    await page.getByLabel("Condition", { exact: true }).fill("object.credit > 100");
    await box(page, "Host and port").fill(address);
    await box(page, "Path").fill("/api");
    await apply(page);
    await page.getByText("counts from the next event on").waitFor();
    const [saved] = await api("provisioning.handlers.search", { order: ["-id"], limit: 1 });
    assert.deepEqual([saved.name, saved.retries, saved.task, saved.condition, Object.keys(saved.headers)],
      [`Wrong ${SCRIPT}`, [5, 30], url("/api"), "object.credit > 100", ["X-A", "X-B"]]);

    // An empty form says what is missing; required boxes are asked for by the browser where it has a script or not.
    await go(page, "/provisioning/handlers/new");
    await page.evaluate(() => document.querySelector("#in-name").removeAttribute("required")).catch(() => undefined);
    await apply(page);
    await wrong("event", "is required");
    await wrong("task", "is required");
    await api("provisioning.handlers.delete", { id: saved.id });
  });
}

// The form holds every field; what is left as it is does not change, a masked header least of all. The condition is checked while typed.
await walk({}, async (page) => {
  await signIn(page);
  const handler = await make({ name: "Keeper", type: "before", event: ["clients.create", "clients.accounts.*"], headers: { Authorization: "Bearer sesame", "X-Old": "1" },
    notes: `two\nlines ${SCRIPT}`, writable: ["credit"], condition: "true", order: 7, passwords: false, notify_outcome: true, concurrency: 3 });
  await go(page, `/provisioning/handlers/${handler.id}/edit`);
  await more(page);
  await look(page);
  await shot(page, "handler-edit");
  await apply(page);
  await page.getByText("is saved").waitFor();
  const shown = await api("provisioning.handlers.get", { id: handler.id });
  const { secret, ...made } = handler;
  assert.deepEqual(shown, made, "nothing was changed");
  await go(page, `/provisioning/handlers/${handler.id}/edit`);
  await more(page);
  await page.getByLabel("Condition", { exact: true }).fill("object.");
  await page.locator("[data-check] .error").waitFor();
  await page.getByLabel("Condition", { exact: true }).fill("object.credit >= 0");
  await page.getByText("It can be understood").waitFor();
  await page.getByLabel("Name of header 2").fill("");
  await page.getByLabel("Name of header 3").fill("X-New");
  await page.getByLabel("Value of header 3").fill("n");
  await apply(page);
  await page.getByText("is saved").waitFor();
  calls.length = 0;
  await api("clients.create", { name: "Headers" });
  assert.deepEqual(["authorization", "x-old", "x-new"].map((header) => calls[0].headers[header]), ["Bearer sesame", undefined, "n"]);

  // Two edit the same handler: the second is told, sees both, and loses nothing.
  await go(page, `/provisioning/handlers/${handler.id}/edit`);
  await name(page).fill("Mine");
  await more(page);
  await page.getByLabel("Notes").fill("my notes");
  await api("provisioning.handlers.update", { id: handler.id, name: "Theirs", timeout_ms: 1234 });
  await apply(page);
  await page.getByText("Somebody else has changed").waitFor();
  await look(page);
  await shot(page, "handler-two-editors");
  await page.getByRole("row", { name: /Keeper Theirs Mine/ }).waitFor();
  await page.getByRole("row", { name: /1234/ }).getByText("unchanged").waitFor();
  assert.equal((await api("provisioning.handlers.get", { id: handler.id })).name, "Theirs", "nothing of the second is saved yet");
  await apply(page);
  await page.getByText("is saved").waitFor();
  const both = await api("provisioning.handlers.get", { id: handler.id });
  assert.deepEqual([both.name, both.notes, both.timeout_ms], ["Mine", "my notes", 1234]);

  // The secret is rotated on its page.
  await page.getByText("Rotate the secret:").click();
  await page.getByRole("button", { name: "Rotate the secret" }).click();
  const rotated = await page.locator("#secret").innerText();
  assert.match(rotated, /^whsec_/);
  assert.notEqual(rotated, secret);
  await api("provisioning.handlers.delete", { id: handler.id, force: true });
});

// A test calls before anything is saved: request, reply, verdict, what would change; with a sample, and with what happened.
for (const javaScriptEnabled of [true, false]) {
  await walk({ javaScriptEnabled }, async (page) => {
    await signIn(page);
    const handlers = (await api("provisioning.handlers.search", {})).length;
    answer = () => [200, { data: { credit: 250, notes: SCRIPT }, warnings: [`careful ${SCRIPT}`] }];
    await go(page, "/provisioning/handlers/new");
    await box(page, "Type").selectOption("before");
    await box(page, "Event").selectOption("clients.create");
    await box(page, "Host and port").fill(address);
    await box(page, "Path").fill("try");
    calls.length = 0;
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await page.locator(".verdict").getByText("allowed").waitFor();
    await page.getByRole("row", { name: /credit/ }).getByText("250").waitFor();
    await page.getByText(`It warns: careful ${SCRIPT}`).waitFor();
    await look(page);
    if (javaScriptEnabled) await shot(page, "handler-test");
    assert.deepEqual([calls.length, calls[0].path, calls[0].body.event.mode], [1, "/try", "test"]);
    assert.equal((await api("provisioning.handlers.search", {})).length, handlers, "nothing was stored");
    answer = () => [200, { verdict: "forbid", message: `no ${SCRIPT}`, field: "name" }];
    const past = await page.locator("#in-with optgroup[label='What happened lately'] option").first().getAttribute("value");
    await page.getByLabel("With").selectOption(past);
    await page.getByRole("button", { name: "Test with this" }).click();
    await page.locator(".verdict").getByText(`no ${SCRIPT}`).waitFor();
    await page.getByText("It names the field name").waitFor();
    assert.ok(past.endsWith(calls.at(-1).body.event.id), "a real event was taken");
    answer = () => [500, SCRIPT];
    await page.getByRole("button", { name: "Test with this" }).click();
    await page.getByText("In earnest the action would be forbidden").waitFor();
    answer = () => [200, {}];
    await name(page).fill("Tried");
    await apply(page);
    await page.getByText("counts from the next event on").waitFor();
    const [saved] = await api("provisioning.handlers.search", { order: ["-id"], limit: 1 });
    // A saved one is tried with what was typed, before it is applied; and as it is, on a page of its own.
    await go(page, `/provisioning/handlers/${saved.id}/edit`);
    await box(page, "Path").fill("/other");
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await page.locator(".verdict").waitFor();
    assert.equal(calls.at(-1).path, "/other");
    await go(page, `/provisioning/handlers/${saved.id}/test`);
    await page.getByRole("button", { name: "Test with this" }).click();
    await page.getByText("It would change nothing").waitFor();
    assert.equal(calls.at(-1).path, "/try");
    await look(page);
    // A back-test asks it about what happened.
    await go(page, `/provisioning/handlers/${saved.id}`);
    await page.getByLabel("About the last so many events").fill("5000");
    await page.getByRole("button", { name: "Ask it" }).click();
    await page.getByRole("alert").waitFor();
    await go(page, `/provisioning/handlers/${saved.id}`);
    await page.getByRole("button", { name: "Ask it" }).click();
    await page.getByText(/in the journal that it takes; it was asked about [1-9]/).waitFor();
    await look(page);
    await api("provisioning.handlers.delete", { id: saved.id });
  });
}

// The list: grouped by what happens; a click switches one off, and back; a chain is put in order by numbers, arrows, or drags.
for (const javaScriptEnabled of [true, false]) {
  await walk({ javaScriptEnabled }, async (page) => {
    await signIn(page);
    const one = await make({ name: `One ${SCRIPT}`, type: "before", order: 10, task: url("/one") });
    const two = await make({ name: "Two", type: "before", order: 20, task: url("/two") });
    const three = await make({ name: "Three", type: "before", order: 20, task: "script://tariff.sh" }).catch(() => make({ name: "Three", type: "before", order: 20 }));
    const told = await make({ name: "Told", event: ["clients.accounts.create", "clients.accounts.delete"] });
    const hidden = await make({ name: "Hidden", status: "archived", task: url("/hidden") });
    await go(page, "/provisioning/handlers");
    const chain = page.locator(".chain", { hasText: "asked before" });
    const names = async () => (await chain.locator(".name").allInnerTexts()).map((words) => words.split(" ")[0]);
    const orders = async () => (await api("provisioning.handlers.search", { id: [one.id, two.id, three.id], order: ["order"] })).map((row) => [row.name.split(" ")[0], row.order]);
    assert.deepEqual(await names(), ["One", "Two", "Three"]);
    await page.getByRole("heading", { name: "Accounts: create, delete" }).waitFor();
    assert.equal(await page.getByText("Hidden").count(), 0);

    const row = page.locator(`[data-key="${two.id}"]`);
    await row.getByRole("button", { name: "enabled" }).click();
    await page.getByText("“Two” is disabled. It is not asked any more.").waitFor();
    assert.equal((await api("provisioning.handlers.get", { id: two.id })).status, "disabled");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("“Two” is enabled").waitFor();
    assert.equal((await api("provisioning.handlers.get", { id: two.id })).status, "enabled");

    await page.getByRole("button", { name: "Ask Three earlier" }).click();
    await page.getByText("The order is saved").waitFor();
    assert.deepEqual(await names(), ["One", "Three", "Two"]);
    assert.deepEqual(await orders(), [["One", 10], ["Three", 20], ["Two", 21]]);
    await page.getByLabel("Order of Two").fill("5");
    await page.getByRole("button", { name: "Save the order" }).click();
    await page.getByText("The order is saved").waitFor();
    assert.deepEqual(await names(), ["Two", "One", "Three"]);
    await page.getByRole("button", { name: "Undo" }).click();
    assert.deepEqual(await names(), ["One", "Three", "Two"]);
    await page.getByLabel("Order of Two").fill("last");
    await page.getByRole("button", { name: "Save the order" }).click();
    await page.getByText("“last” is no order").waitFor();
    if (javaScriptEnabled) {
      await page.locator(`[data-key="${two.id}"] .grip`).dragTo(page.locator(`[data-key="${one.id}"] .what`), { targetPosition: { x: 5, y: 1 } });
      await page.getByText("The order is saved").waitFor();
      assert.deepEqual(await names(), ["Two", "One", "Three"]);
    }

    // Where some of a chain are not shown, the others change places as they are seen.
    await api("provisioning.handlers.update", { id: three.id, status: "disabled" });
    for (const [id, order] of [[two.id, 5], [three.id, 10], [one.id, 20]]) await api("provisioning.handlers.update", { id, order });
    await go(page, "/provisioning/handlers?status=enabled");
    assert.deepEqual(await names(), ["Two", "One"]);
    await page.getByRole("button", { name: "Ask Two later" }).click();
    await page.getByText("The order is saved").waitFor();
    assert.deepEqual(await names(), ["One", "Two"]);
    assert.deepEqual(await orders(), [["Three", 5], ["One", 10], ["Two", 20]]);

    await api("provisioning.handlers.pause", { id: told.id, reason: "moving house" });
    await go(page, "/provisioning/handlers?status=archived");
    assert.deepEqual(await page.locator(".name").allInnerTexts(), ["Hidden"]);
    await go(page, "/provisioning/handlers?event=clients.accounts.delete&type=after&kind=http&q=tol");
    assert.deepEqual(await page.locator(".name").allInnerTexts(), ["Told"]);
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("“Told” is resumed").waitFor();
    assert.match(page.url(), /q=tol/);
    await go(page, "/provisioning/handlers?q=nobody");
    await page.getByText("No handler is like that").waitFor();
    for (const { id } of [one, two, three, told, hidden]) await api("provisioning.handlers.delete", { id, force: true });
  });
}

// One that fails: what is dead is seen, sent again, given up; paused and resumed; told of everything anew; deleted.
await walk({}, async (page) => {
  await signIn(page);
  answer = ({ path }) => path === "/down" ? [500, `broken ${SCRIPT}`] : [200, {}];
  const down = await make({ name: "Down", task: url("/down"), retries: [] });
  const shadow = await make({ name: "Learner", type: "before", status: "shadow", task: url("/learn") });
  const clients = [];
  for (let n = 0; n < 3; n += 1) clients.push(await api("clients.create", { name: `Client ${n} ${SCRIPT}` }));
  const dead = () => api("provisioning.deliveries.search", { handlers_id: down.id, state: "dead" });
  const others = [
    await make({ name: "Fraud check", type: "before", order: 10, task: url("/fraud") }),
    await make({ name: "Number check", type: "before", order: 20, task: url("/numbers"), event: ["clients.create", "clients.accounts.*"] }),
    await make({ name: "Add tariff", type: "before", order: 30, task: "script://tariff.sh", status: "disabled" }),
    await make({ name: "Kamailio", task: url("/sip"), event: ["clients.accounts.create", "clients.accounts.update", "clients.accounts.delete"] }),
  ];
  await until("three are dead", async () => (await dead()).length === 3);
  await go(page, `/provisioning/handlers/${down.id}`);
  await page.getByText("incomplete").first().waitFor();
  await shot(page, "handler-dead");
  await page.getByRole("button", { name: "Send 3 dead deliveries again" }).click();
  await page.getByText("3 deliveries are sent again").waitFor();
  await until("three are dead again", async () => (await dead()).length === 3);
  await go(page, `/provisioning/handlers/${down.id}`);
  await page.getByRole("button", { name: "Discard 3 dead deliveries" }).click();
  await page.getByText("3 deliveries were discarded").waitFor();
  assert.equal((await dead()).length, 0);
  await page.getByText("Pause:").click();
  await page.getByLabel("Why").fill(`moving ${SCRIPT}`);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByText(`Reason: moving ${SCRIPT}`).waitFor();
  await look(page);
  const { paused } = await api("provisioning.handlers.get", { id: down.id });
  assert.deepEqual([paused.by, paused.reason], ["admin", `moving ${SCRIPT}`]);
  await api("clients.create", { name: "Waits" });
  await go(page, "/provisioning/handlers");
  await page.locator(`[data-key="${down.id}"]`).getByText("paused").waitFor();
  await page.locator(`[data-key="${down.id}"]`).getByText("waiting 1").waitFor();
  await shot(page, "handlers");

  // Resync: counted first, begun, paused, resumed; then it is delivered.
  answer = () => [200, {}];
  await go(page, `/provisioning/handlers/${down.id}/resync`);
  await page.getByLabel("Clients", { exact: true }).fill("4711000");
  await page.getByRole("button", { name: "Count", exact: true }).click();
  await page.locator(".wrong", { hasText: "does not exist" }).waitFor();
  await page.getByLabel("Clients", { exact: true }).fill(clients.map((client) => client.id).join(", "));
  await page.getByLabel("Condition").fill("nonsense(");
  await page.getByLabel("Events a second").fill("0");
  await page.getByRole("button", { name: "Count", exact: true }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Condition").fill("");
  await page.getByLabel("Events a second").fill("1");
  await page.getByRole("button", { name: "Count", exact: true }).click();
  await page.getByText("That is 3 events.").waitFor();
  await look(page);
  assert.deepEqual(await api("provisioning.resyncs.search", {}), [], "it was only counted");
  await page.getByRole("button", { name: "Tell it 3 events" }).click();
  await page.getByText("The resync has begun: 3 events").waitFor();
  await look(page);
  await shot(page, "handler-resync");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByText("The resync is paused").waitFor();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByText("The resync goes on").waitFor();
  await api("provisioning.handlers.resume", { id: down.id });
  await until("the resync is done", async () => (await api("provisioning.resyncs.search", {}))[0].state === "done");
  // What is over goes away by itself: the page looks again.
  await page.locator("#progress progress").waitFor({ state: "detached" });
  await go(page, `/provisioning/handlers/${down.id}`);
  await page.getByRole("heading", { name: "Resyncs" }).waitFor();

  // A shadow tells what it would have decided.
  await until("the shadow was asked", async () => (await api("provisioning.handlers.shadow", { id: shadow.id })).asked >= 3);
  await go(page, `/provisioning/handlers/${shadow.id}`);
  await page.getByText("It is asked about everything and decides nothing").waitFor();
  await shot(page, "handler-shadow");

  // Deleted with what waits for it: the button says how much.
  await api("provisioning.handlers.pause", { id: down.id });
  await api("clients.create", { name: "Waits too" });
  await go(page, `/provisioning/handlers/${down.id}`);
  await page.getByText("Delete:").click();
  await page.getByRole("button", { name: "Delete it and discard 1 that wait or are dead" }).click();
  await page.getByText("“Down” was deleted").waitFor();
  await assert.rejects(api("provisioning.handlers.get", { id: down.id }), { code: -32004 });
  await go(page, "/provisioning/handlers/999", 404);
  for (const { id } of [shadow, ...others]) await api("provisioning.handlers.delete", { id });
});

// A reseller's users and who may only read or operate: within their reach, without what they may not do.
await walk({}, async (page) => {
  const company = await api("companies.create", { name: `Reseller ${SCRIPT}`, currencies_id: 1 });
  const own = await make({ name: "Own", companies_id: company.id, task: "https://example.org/own" });
  const system = await make({ name: "System", task: url("/system") });
  const password = "correct-horse-battery";
  for (const role of ["admin", "operator", "readonly"]) await api("users.create", { login: `r-${role}`, role, companies_id: company.id, password });
  await signIn(page, "r-admin", password);
  await go(page, "/provisioning/handlers");
  assert.deepEqual(await page.locator(".name").allInnerTexts(), ["Own"]);
  await go(page, `/provisioning/handlers/${own.id}/edit`);
  assert.deepEqual(await box(page, "Task").locator("option").allInnerTexts(), ["http://", "https://"], "no scripts for resellers");
  assert.equal(await page.getByLabel("Reseller").count(), 0);
  await more(page);
  await page.getByLabel("Condition", { exact: true }).fill("object.");
  await page.locator("[data-check] .error").waitFor();
  await page.getByLabel("Condition", { exact: true }).fill("true");
  await apply(page);
  await page.getByText("is saved").waitFor();
  await go(page, `/provisioning/handlers/${system.id}`, 403);
  await signIn(page, "r-operator", password);
  await go(page, `/provisioning/handlers/${own.id}`);
  assert.equal(await page.getByRole("link", { name: "Edit" }).count(), 0);
  await page.getByRole("link", { name: "Test" }).waitFor();
  await go(page, `/provisioning/handlers/${own.id}/edit`, 403);
  await go(page, `/provisioning/handlers/new`, 403);
  await signIn(page, "r-readonly", password);
  await go(page, `/provisioning/handlers/${own.id}`);
  assert.equal(await page.locator("main").getByRole("link", { name: "Test" }).count(), 0);
  assert.equal(await page.locator("main button").allInnerTexts().then((all) => all.join()), "Ask");
  for (const { id } of [own, system]) await api("provisioning.handlers.delete", { id, force: true });
});

// On a phone, and in the dark.
for (const [word, sets] of [["phone", { viewport: { width: 375, height: 800 } }], ["dark", { colorScheme: "dark" }]]) {
  await walk(sets, async (page) => {
    await signIn(page);
    const before = await make({ name: `A rather long name of a handler ${SCRIPT}`, type: "before", order: 1, task: url("/a/rather/long/path/that/goes/on/and/on/and/on") });
    const second = await make({ name: "Second", type: "before" });
    await api("clients.create", { name: `Seen on ${word}` });
    for (const path of ["", "/new", `/${before.id}`, `/${before.id}/edit`, `/${before.id}/test`]) await go(page, `/provisioning/handlers${path}`);
    await page.goto(`${base}/provisioning/handlers`);
    await shot(page, `handlers-${word}`);
    await page.goto(`${base}/provisioning/handlers/${before.id}/edit`);
    await shot(page, `handler-edit-${word}`);
    for (const { id } of [before, second]) await api("provisioning.handlers.delete", { id, force: true });
  });
}
server.close();
