//! All that the API shows of a database, for comparing before and after.
use std::collections::BTreeMap;

use hookswitch_testkit::{Api, Value, json};

use super::{
    objects::{Objects, settled},
    searches,
};

/// Every list whole, each client's custom fields, and whether the user's key is good.
pub(super) async fn dump(admin: &Api, objects: &Objects) -> BTreeMap<String, Value> {
    settled(admin).await;
    let mut all = BTreeMap::new();
    for method in searches() {
        let found = admin.ok(method.name, json!({"limit": 1000, "with_total": true})).await;
        assert_eq!(found["rows"].as_array().unwrap().len(), found["total"].as_u64().unwrap() as usize, "{}", method.name);
        all.insert(method.name.to_owned(), found);
    }
    let key_is_good = admin.with_key(&objects.user_key).call("system.status", json!({})).await.is_ok();
    all.insert("the user's key is good".to_owned(), key_is_good.into());
    all
}
