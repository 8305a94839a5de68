//! `companies.*`: resellers.
use hookswitch_testkit::{Server, api::id, assert_has, json, names};

#[tokio::test]
async fn a_new_database_has_one_reseller_so_that_the_first_request_works() {
    let server = Server::start().await;
    let rows = server.ok("companies.search", json!({})).await;
    assert_eq!(names(&rows), ["Default"]);
    assert_has(&rows[0], &json!({"id": 1, "currencies_id": 1, "parent_id": null, "timezone": "UTC"}));
}

#[tokio::test]
async fn a_reseller_is_created_read_found_and_changed() {
    let server = Server::start().await;
    let fields = json!({"name": "Sub", "parent_id": 1, "timezone": "Europe/Warsaw"});
    let company = server.ok("companies.create", fields.clone()).await;
    assert_has(&company, &fields);
    assert_eq!(company["currencies_id"], json!(1));
    assert!(company.get("status").is_some());
    assert_eq!(server.ok("companies.get", json!({"id": id(&company)})).await, company);
    let changed = server.ok("companies.update", json!({"id": id(&company), "name": "Sub 2", "timezone": "UTC"})).await;
    assert_has(&changed, &json!({"name": "Sub 2", "timezone": "UTC", "parent_id": 1}));
    assert_eq!(names(&server.ok("companies.search", json!({"name": "Sub 2"})).await), ["Sub 2"]);
    assert_eq!(server.refused("companies.delete", json!({"id": id(&company)})).await.code, -32601);
}

#[tokio::test]
async fn wrong_fields_of_a_reseller_are_all_named() {
    let server = Server::start().await;
    let refusal = server.refused("companies.create", json!({"parent_id": 99, "timezone": "Mars/Olympus", "zone": 1})).await;
    assert_eq!(refusal.fields(), ["name", "parent_id", "timezone", "zone"]);
}

#[tokio::test]
async fn a_reseller_is_never_its_own_ancestor() {
    let server = Server::start().await;
    let upper = server.company("Upper", 1).await;
    let lower = server.company("Lower", upper).await;
    for wrong in [upper, lower] {
        assert_eq!(server.refused("companies.update", json!({"id": upper, "parent_id": wrong})).await.fields(), ["parent_id"]);
    }
}

#[tokio::test]
async fn a_client_gets_the_currency_of_its_reseller() {
    let server = Server::start().await;
    let company = server.ok("companies.create", json!({"name": "Sub", "parent_id": 1, "currencies_id": 1})).await;
    let client = server.ok("clients.create", json!({"name": "Acme", "companies_id": id(&company)})).await;
    assert_eq!(client["currencies_id"], company["currencies_id"]);
}
