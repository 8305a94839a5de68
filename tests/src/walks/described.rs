//! Every method's answer is what its description says, key by key: done, rehearsed, and repeated.
use hookswitch_testkit::{json, with};

use super::{
    methods,
    objects::{Objects, server},
    repeats::prepared,
    table::{Does, Row},
};
use crate::descriptions::described::Described;

#[tokio::test]
async fn every_answer_fits_its_description() {
    let (server, gone) = server().await;
    let described = Described::by(&server).await;
    for method in methods() {
        let (_, params) = prepared(&server, &gone, method).await;
        let does = Row::find(method.name).does;
        if matches!(does, Does::Changes) {
            let rehearsed = server.ok(method.name, with(params.clone(), json!({"dry_run": true}))).await;
            described.assert_result(method.name, &rehearsed);
        }
        let key = json!({"idempotency_key": "once"});
        let asked = if method.idempotent { with(params, key) } else { params };
        for _ in 0..if does == Does::Steers { 1 } else { 2 } {
            let answer = server.ok(method.name, asked.clone()).await;
            described.assert_result(method.name, &answer);
        }
    }
}

#[tokio::test]
async fn a_page_with_its_total_fits_the_description_too() {
    let (server, gone) = server().await;
    let described = Described::by(&server).await;
    Objects::make(&server, 1, json!(null), "described", &gone).await;
    for method in super::searches() {
        let page = server.ok(method.name, json!({"with_total": true, "limit": 1000})).await;
        assert_ne!(page["total"], json!(0), "{}", method.name);
        described.assert_result(method.name, &page);
    }
}
