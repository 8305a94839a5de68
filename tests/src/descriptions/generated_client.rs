//! A client that a generator makes from the OpenAPI description: its types fit what a developer writes, and what he writes
//! works.
use std::fs;

use hookswitch_testkit::Server;

use super::{file, node, node_modules, run};

#[tokio::test]
async fn a_generated_client_is_type_checked_and_works() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("openapi.json"), server.get("/api/openapi.json").await.text).unwrap();
    fs::write(path("package.json"), r#"{"type": "module"}"#).unwrap();
    for name in ["story.ts", "tsconfig.json"] {
        fs::copy(file("client").join(name), path(name)).unwrap();
    }
    std::os::unix::fs::symlink(node_modules(), path("node_modules")).unwrap();
    run(node(folder.path()).args(["node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "api.d.ts"])).await;
    run(node(folder.path()).arg("node_modules/typescript/bin/tsc")).await;
    let said =
        run(node(folder.path()).arg("story.js").env("HOOKSWITCH_URL", server.base()).env("HOOKSWITCH_KEY", server.key())).await;
    assert_eq!(said.trim(), "the story went as it should");
}
