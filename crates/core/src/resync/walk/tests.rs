//! Whatever the size of portions, and wherever one ends: the same objects, each once, in one order.
use hookswitch_hooks::rules::Rule;
use hookswitch_model::{
    handler::check_create,
    objects::{
        account::Account, client_package::Condition, company::TIMEZONE_DEFAULT, custom_field::CustomField, package::Package,
    },
};
use hookswitch_store::{Clock, Database, MasterKey, Options, Store};
use hookswitch_testdb::Home;
use serde_json::json;

use super::{super::count::Counting, *};

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

/// Clients with 0 to 4 accounts and client packages in all conditions; three of the clients are archived.
fn furnish(tx: &mut Tx, vault: &Vault) -> Result<(), Error> {
    let custom = CustomField::from_new(1, None, &object(json!({"object_type": "clients", "key": "sla", "title": "SLA"})));
    tables::custom_fields::insert(tx, &custom)?;
    let package = Package::from_new(1, 1, 1, Moment(0), TIMEZONE_DEFAULT, &object(json!({"name": "p", "period": "P1M"})));
    let mut own = 0;
    for id in [2, 3, 5, 8, 13, 21] {
        let mut client = Client::from_new(id, 1, 1, Moment(0), &object(json!({"name": format!("client {id}")})));
        if id % 13 == 8 || id == 3 {
            client.status = ClientStatus::Archived;
        }
        tables::clients::insert(tx, &client)?;
        for number in 0..id % 5 {
            let login = json!({"clients_id": id, "auth_type": "name", "accname": format!("{id}-{number}"), "password": "x"});
            tables::accounts::insert(tx, vault, &Account::from_new(id * 10 + number, client.name.clone(), &object(login)), 1)?;
        }
        for condition in [Condition::New, Condition::Closed, Condition::Activated, Condition::Deactivated, Condition::New] {
            own += 1;
            tables::client_packages::insert(
                tx,
                &ClientPackage { condition, ..ClientPackage::new(own, &client, &package, Moment(0)) },
            )?;
        }
    }
    Ok(())
}

fn handler(events: Value) -> Handler {
    let fields = object(json!({"name": "h", "event": events, "task": "http://127.0.0.1:1/"}));
    Handler::from_checked(1, &check_create(&fields).unwrap()).unwrap()
}

/// All portions of a walk, joined.
fn portions(tx: &Tx, walk: &Walk, max: usize) -> Result<Vec<Item>, Error> {
    let (mut all, mut place) = (Vec::new(), Place::START);
    while place != END {
        let found = walk.next(tx, place, max)?;
        assert!(found.items.len() <= max && found.items.iter().all(|item| item.place > place));
        let end = found.end.unwrap();
        assert!(end > place && found.items.iter().all(|item| item.place <= end), "it goes on");
        all.extend(found.items);
        place = end;
    }
    Ok(all)
}

#[tokio::test]
async fn however_it_is_cut_into_portions_the_same_objects_come_once_and_in_order() {
    let home = Home::new();
    let database = Database::at(&home.url()).unwrap();
    let store =
        Store::open(Options { database, key: MasterKey::from_bytes([7; 32]), clock: Clock::system(), faults: None }).unwrap();
    let vault = store.vault().clone();
    store.write(move |tx| furnish(tx, &vault)).await.unwrap();
    let access = Arc::new(store.read(Snapshot::load).await.unwrap());
    let some = Selection { clients_id: Some(vec![1, 3, 8, 900]), ..Selection::default() };
    for (events, selection, count) in [
        // 6 clients of which 3 are archived, their custom fields, 12 accounts, 4 open packages each, 6 states of funds.
        (json!("clients.*"), Selection::default(), 6 + 3 + 6 + 12 + 24 + 6),
        (json!("clients.packages.activate"), Selection::default(), 6),
        (json!(["clients.update", "clients.accounts.update"]), some, 2 + 3 + 3),
    ] {
        let rule = Arc::new(Rule::new(handler(events)));
        let counting = Counting::new(rule, &selection, Arc::clone(&access), store.vault().clone()).unwrap();
        store
            .read(move |tx| {
                let walk = &counting.walk;
                let whole = portions(tx, walk, 10_000)?;
                assert!(counting.takes_long() || counting.by_database(tx)? == whole.len() as i64, "the database counts the same");
                assert_eq!(whole.len(), count);
                assert!(whole.windows(2).all(|pair| pair[0].place < pair[1].place));
                for max in 1..=12 {
                    assert_eq!(portions(tx, walk, max)?, whole, "portions of {max}");
                }
                Ok::<_, Error>(())
            })
            .await
            .unwrap();
    }
}
