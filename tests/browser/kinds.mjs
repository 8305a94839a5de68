// Provisioning / Handlers, the form: what is ready made. A SQL handler from its boxes to a row in the database; wrong settings; a password
// that is left as it is; two editors; a chat room's webhook; once with scripts, once without.
import { apply, box, make, more, name } from "./handler.mjs";
import { api, assert, go, look, shot, signIn, until, walk } from "./harness.mjs";

const file = process.env.FILE;
const MASK = "********";
const SECRET = "sesame & <i>";
const setting = (page, kind, key) => page.locator(`[name="set.${kind}.${key}"]`);
const wrong = (page, field, words) => page.locator(`.wrong:has(#in-${field}) .error`).getByText(words).waitFor();
const latest = async () => (await api("provisioning.handlers.search", { order: ["-id"], limit: 1 }))[0];

for (const javaScriptEnabled of [true, false]) {
  await walk({ javaScriptEnabled }, async (page) => {
    await signIn(page);
    await go(page, "/provisioning/handlers/new");
    await name(page).fill("Kamailio");
    await page.getByText("Several events:").click();
    await box(page, "Names and patterns").fill("clients.*\nprovisioning.resync_done");
    await box(page, "Task").selectOption("sql");
    if (javaScriptEnabled) {
      assert.ok(await box(page, "Server").isVisible() && !await setting(page, "mail", "from").isVisible() && !await box(page, "File").isVisible());
      assert.ok(!await box(page, "Host and port").isVisible() && !await page.locator("#in-headers").isVisible());
      assert.ok(await box(page, "Type").locator("option[value=before]").evaluate((option) => option.disabled), "it is told after");
      assert.ok(!await setting(page, "sql", "group").isVisible());
      await setting(page, "sql", "template").selectOption("freeradius");
      assert.ok(await setting(page, "sql", "group").isVisible());
      await page.evaluate(() => document.querySelector("label[for=in-scheme]").scrollIntoView());
      await shot(page, "handler-sql");
      await page.setViewportSize({ width: 375, height: 800 });
      await look(page, "a SQL handler's form on a phone");
      await page.setViewportSize({ width: 1280, height: 800 });
    }
    await look(page, "a SQL handler's form");
    await setting(page, "sql", "password").fill(SECRET);
    await box(page, "Engine").selectOption("sqlite");
    await box(page, "File").fill(file);
    await setting(page, "sql", "template").selectOption("kamailio");
    await setting(page, "sql", "statements").fill('{"clients.create": [\n  "SELECT 1" "SELECT 2"\n]}');
    await apply(page);
    await wrong(page, "set-sql-statements", /line 2.*a \] is missing/);
    await look(page);
    await setting(page, "sql", "statements").fill('{"clients.create": ["SELECT {{object.id}}"]}');
    await apply(page);
    await wrong(page, "set-sql-domain", "must have a domain");
    await page.getByRole("alert").getByRole("link", { name: "domain" }).waitFor();
    await setting(page, "sql", "domain").fill("sip.example.net");
    await setting(page, "sql", "further").fill('{"prefix": 49}');
    await box(page, "File").fill("/nowhere/at/all.db");
    await apply(page);
    await wrong(page, "sql-file", "a folder that is not there");
    await look(page);
    await box(page, "File").fill(file);

    // What was typed stays while it is tried.
    await page.getByRole("button", { name: "Test", exact: true }).click();
    await page.locator(".verdict").waitFor();
    await look(page, "a SQL handler's test");
    await page.getByText("rolled back").first().waitFor({ state: "attached" });
    await apply(page);
    await page.getByText("counts from now on").waitFor();
    const saved = await latest();
    const settings = { password: MASK, template: "kamailio", domain: "sip.example.net", statements: { "clients.create": ["SELECT {{object.id}}"] }, prefix: 49 };
    assert.deepEqual([saved.task, saved.settings, saved.type, saved.concurrency], [`sql://${file}?engine=sqlite`, settings, "after", 16]);

    // Its page and the list say what it is; the form changes nothing by being sent.
    await go(page, `/provisioning/handlers/${saved.id}`);
    await page.locator(".chip", { hasText: "SQL database" }).waitFor();
    await page.getByRole("link", { name: "Resync" }).waitFor();
    await page.getByText("Template: kamailio").waitFor();
    await go(page, "/provisioning/handlers?kind=sql");
    await page.locator(".handler", { hasText: "Kamailio" }).locator(".chip", { hasText: "SQL database" }).waitFor();
    await go(page, `/provisioning/handlers/${saved.id}/edit`);
    assert.equal(await setting(page, "sql", "password").inputValue(), MASK);
    assert.equal(await box(page, "File").inputValue(), file);
    if (javaScriptEnabled) {
      await page.evaluate(() => document.querySelector("label[for=in-scheme]").scrollIntoView());
      await shot(page, "handler-sql-edit");
    }
    await apply(page);
    await page.getByText("is saved").waitFor();
    assert.deepEqual(await api("provisioning.handlers.get", { id: saved.id }), saved, "nothing was changed");

    // It works: an account that is created stands in the table.
    const client = await api("clients.create", { name: `Acme ${saved.id}` });
    await api("clients.accounts.create", { clients_id: client.id, accname: `acme${saved.id}`, password: "s3cret-of-acme" });
    await until("the database was told", async () => {
      const rows = await api("provisioning.executions.search", { handlers_id: saved.id, clients_id: client.id });
      return rows.some((row) => row.events_id === "clients.accounts.create" && row.status === "success");
    });

    // Two editors: each setting is put together by itself, and none that is secret is shown.
    await go(page, `/provisioning/handlers/${saved.id}/edit`);
    await setting(page, "sql", "further").fill('{"prefix": 1}');
    await setting(page, "sql", "password").fill(`${SECRET}2`);
    await api("provisioning.handlers.update", { id: saved.id, settings: { ...settings, domain: "b.example.net" } });
    await apply(page);
    await page.getByText("Somebody else has changed").waitFor();
    await look(page);
    await page.getByRole("row", { name: /Domain sip.example.net b.example.net unchanged/ }).waitFor();
    assert.ok(!(await page.locator("main table").innerText()).includes("sesame"));
    await apply(page);
    await page.getByText("is saved").waitFor();
    const both = await api("provisioning.handlers.get", { id: saved.id });
    assert.deepEqual(both.settings, { ...settings, domain: "b.example.net", prefix: 1 });

    // A program becomes something ready made: its headers go.
    const program = await make({ name: "Program", headers: { "X-A": "1" } });
    await go(page, `/provisioning/handlers/${program.id}/edit`);
    await box(page, "Task").selectOption("smtp");
    await box(page, "Host and port").fill("127.0.0.1:25");
    await setting(page, "mail", "from").fill("Billing <billing@example.net>");
    await setting(page, "mail", "to").fill("noc@example.net\n\nboss@example.net\n");
    await apply(page);
    await page.getByText("is saved").waitFor();
    const mail = await api("provisioning.handlers.get", { id: program.id });
    assert.deepEqual([mail.task, mail.settings, mail.passwords, mail.headers],
      ["smtp://127.0.0.1:25", { from: "Billing <billing@example.net>", to: ["noc@example.net", "boss@example.net"] }, false, {}]);

    // A webhook that is pasted whole: where it is, and what of it is secret.
    await go(page, "/provisioning/handlers/new?scheme=chat%2Bhttps&set.chat.channel=%23noc&set.chat.secret=x");
    assert.equal(await setting(page, "chat", "secret").inputValue(), "", "no secret comes from an address");
    await name(page).fill("Room");
    await box(page, "Event").selectOption("clients.balance_zero");
    await box(page, "Host and port").fill("https://hooks.slack.com/services/T/B/X");
    await apply(page);
    await page.getByText("counts from now on").waitFor();
    const room = await latest();
    assert.deepEqual([room.task, room.settings, room.passwords], ["chat+https://hooks.slack.com", { secret: MASK, channel: "#noc" }, false]);
    await go(page, `/provisioning/handlers/${room.id}`);
    assert.equal(await page.getByRole("link", { name: "Resync" }).count(), 0, "people are told no lists");
    await go(page, `/provisioning/handlers/${room.id}/edit`);
    assert.equal(await page.locator("details.rest").evaluate((part) => part.open), false, "all of it is as it is by default");
    if (javaScriptEnabled) {
      await more(page);
      assert.ok(!await page.getByLabel("Send it passwords of accounts").isVisible());
      assert.ok(await page.locator("#in-headers").isVisible());
    }
    for (const { id } of await api("provisioning.handlers.search", {})) await api("provisioning.handlers.delete", { id, force: true });
  });
}
