// Provisioning / Handlers, the form: the best practice of the mission step by step, wrong input, two editors, a test before it is saved.
import { address, answers, apply, box, calls, make, more, name, SCRIPT, url } from "./handler.mjs";
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

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
    answers.by = () => [200, { data: { credit: 250, notes: SCRIPT }, warnings: [`careful ${SCRIPT}`] }];
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
    answers.by = () => [200, { verdict: "forbid", message: `no ${SCRIPT}`, field: "name" }];
    const past = await page.locator("#in-with optgroup[label='What happened lately'] option").first().getAttribute("value");
    await page.getByLabel("With").selectOption(past);
    await page.getByRole("button", { name: "Test with this" }).click();
    await page.locator(".verdict").getByText(`no ${SCRIPT}`).waitFor();
    await page.getByText("It names the field name").waitFor();
    assert.ok(past.endsWith(calls.at(-1).body.event.id), "a real event was taken");
    answers.by = () => [500, SCRIPT];
    await page.getByRole("button", { name: "Test with this" }).click();
    await page.getByText("In earnest the action would be forbidden").waitFor();
    // However much it says, the page stays light.
    const much = "x<y".repeat(100_000);
    for (const said of [{ verdict: "forbid", message: much, field: much }, { warnings: [much, much] }, { data: { notes: much } }, { nothing: much }]) {
      answers.by = () => [200, said];
      await page.getByRole("button", { name: "Test with this" }).click();
      await page.locator(".verdict").waitFor();
      await look(page, "a test with a long reply");
    }
    answers.by = () => [200, {}];
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
    // An event that was chosen elsewhere, such as in the log, is asked about again.
    const oldest = (await api("provisioning.events.search", { order: ["dt"], limit: 1 }))[0];
    await page.goto(`${base}/provisioning/handlers/${saved.id}/edit?test_event=${oldest.id}`);
    await page.getByRole("button", { name: "Test with this" }).click();
    await page.locator(".verdict").waitFor();
    assert.equal(calls.at(-1).body.event.id, oldest.id);
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
