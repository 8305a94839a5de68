// A developer who has nothing but our OpenAPI file: the types in `api.d.ts` were generated from it a moment ago.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

const api = createClient<paths>({
  baseUrl: process.env.HOOKSWITCH_URL,
  headers: { "X-Api-Key": process.env.HOOKSWITCH_KEY },
});

// A client is created, and once only although the request is repeated.
const body: components["schemas"]["ClientCreate"] = { name: "Generated Telecom", credit: 100, tags: ["generated"] };
const create = () => api.POST("/api/clients", { params: { header: { "Idempotency-Key": "from-the-story" } }, body });
const created = await create();
assert.equal(created.response.status, 201);
const client: components["schemas"]["Client"] = created.data!;
assert.deepEqual([client.name, client.credit, client.status], ["Generated Telecom", 100, "active"]);
assert.equal((await create()).data!.id, client.id);

// It is found, by a list of values too, and counted.
const found = await api.GET("/api/clients", {
  params: { query: { id: [client.id, client.id + 1_000], status: "active", order: ["-id"], with_total: true } },
});
assert.deepEqual(found.data!.map((row) => row.id), [client.id]);
assert.equal(found.response.headers.get("X-Total-Count"), "1");

// Money goes in; the balance follows.
const payment = await api.POST("/api/accounting/transactions", {
  body: { clients_id: client.id, type: "payment", amount: 250.5, external_id: "invoice-1" },
});
assert.equal(payment.data!.balance_after, 250.5);

// What changes is sent, the whole object comes back.
const changed = await api.PATCH("/api/clients/{id}", {
  params: { path: { id: client.id } },
  body: { notes: "seen by a generated client" },
});
assert.deepEqual([changed.data!.notes, changed.data!.available], ["seen by a generated client", 350.5]);

// Keys of the carrier's own go with a package.
await api.POST("/api/custom_fields", { body: { object_type: "packages", key: "sku", title: "Article number" } });
const flat = await api.POST("/api/packages", { body: { name: "Flat", period: "P1M", custom_fields: { sku: "FLAT-1" } } });
assert.equal(flat.data!.custom_fields.sku, "FLAT-1");

// Refusals have types too: which one it is shows in the data.
const wrong = await api.POST("/api/clients", { body: { name: "" } });
assert.equal(wrong.response.status, 400);
assert.ok(wrong.error && "error" in wrong.error);
assert.deepEqual(Object.keys(wrong.error.error.data), ["name"]);
const nobody = await api.GET("/api/clients/{id}", { params: { path: { id: 900_000 } } });
assert.equal(nobody.response.status, 404);
const low = await api.POST("/api/accounting/transactions/prepaid", {
  body: { clients_id: client.id, type: "charge", amount: -1_000 },
});
assert.equal(low.response.status, 422);
assert.equal((low.error as components["schemas"]["Unprocessable"]).error.data.code, "low_balance");

// What the API does not have, the compiler refuses.
() => {
  // @ts-expect-error: there is no such address
  void api.GET("/api/customers");
  // @ts-expect-error: a client needs its name
  void api.POST("/api/clients", { body: { credit: 1 } });
  // @ts-expect-error: a status is one of a few words
  void api.GET("/api/clients", { params: { query: { status: "gone" } } });
  // @ts-expect-error: the balance is changed by transactions only
  const update: components["schemas"]["ClientUpdate"] = { balance: 1 };
  void update;
};

const gone = await api.DELETE("/api/clients/{id}", { params: { path: { id: client.id }, query: { force: true } } });
assert.equal(gone.data, 1);
console.log("the story went as it should");
