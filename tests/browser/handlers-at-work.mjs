// Provisioning / Handlers at work: the list and its order, one that fails, a resync, a shadow, who may do what, a phone and the dark.
import { answers, apply, box, make, more, SCRIPT, url } from "./handler.mjs";
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

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
  answers.by = ({ path }) => path === "/down" ? [500, `broken ${SCRIPT}`] : [200, {}];
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
  // A discard is asked about first, and wants a reason.
  await page.getByRole("link", { name: "Discard 3 dead deliveries" }).click();
  await page.getByText("Chosen: 3 deliveries").waitFor();
  assert.equal((await dead()).length, 3);
  await page.getByLabel("Reason").fill("it was never there");
  await page.getByRole("button", { name: "Discard 3 deliveries" }).click();
  await page.getByText("3 deliveries discarded").waitFor();
  assert.equal((await dead()).length, 0);
  // An order that somebody has changed since the page was shown is not overwritten.
  const stale = { [`order.${others[0].id}`]: "99", [`was.${others[0].id}`]: "11" };
  assert.match(await (await page.request.post(`${base}/provisioning/handlers/order`, { form: stale })).text(), /somebody has moved “Fraud check” meanwhile/);
  assert.equal((await api("provisioning.handlers.get", { id: others[0].id })).order, 10);
  // Who comes back to the address of a deed finds the handler.
  for (const deed of ["pause", "resend", "status", "delete", "secret"]) {
    await page.goto(`${base}/provisioning/handlers/${down.id}/${deed}`);
    assert.equal(new URL(page.url()).pathname, `/provisioning/handlers/${down.id}`, deed);
  }
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
  // A number leads to the rows that it counts.
  const failed = page.locator(`[data-key="${down.id}"]`).getByRole("link", { name: /^failed/ });
  const count = Number((await failed.innerText()).replace(/\D/g, ""));
  await failed.click();
  await page.waitForURL("**/provisioning/logs?**");
  assert.equal(await page.locator("tbody tr").count(), count);
  await page.goBack();
  await shot(page, "handlers");

  // Resync: counted first, begun, paused, resumed; then it is delivered.
  answers.by = () => [200, {}];
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
  await page.getByText(/Resync \d+ is paused/).waitFor();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByText(/Resync \d+ goes on/).waitFor();
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
  assert.equal(await box(page, "Task").locator("option[value=script]").count(), 0, "no scripts for resellers");
  assert.equal(await page.locator("[name=sql_engine] option[value=sqlite]").count(), 0, "nor files");
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
