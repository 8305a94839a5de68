//! The OpenRPC description, judged by the validator of OpenRPC's makers.
use std::fs;

use hookswitch_testkit::{Server, json};

use super::{file, node, node_modules, run};

#[tokio::test]
async fn the_validator_of_openrpc_finds_nothing_wrong() {
    let server = Server::start().await;
    let document = server.ok("rpc.discover", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("openrpc.json"), document.to_string()).unwrap();
    fs::copy(file("client/openrpc.mjs"), folder.path().join("openrpc.mjs")).unwrap();
    std::os::unix::fs::symlink(node_modules(), folder.path().join("node_modules")).unwrap();
    let said = run(node(folder.path()).args(["openrpc.mjs", "openrpc.json"])).await;
    assert_eq!(said.trim(), format!("{} methods", document["methods"].as_array().unwrap().len()));
}
