//! Handlers over TLS.
use std::{path::Path, sync::Arc};

use hookswitch_model::refusal::FailureReason;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::{
    OK,
    receiver::{Receiver, closed, converse},
};
use crate::call::{
    Caller, CallerOptions,
    fixture::{call, caller, handler, options},
};

/// Made for these tests, good until 2126: a root, and a certificate by it for `localhost` and `127.0.0.1`.
const ROOT: &[u8] = include_bytes!("test_certificate/root.pem");
const SERVER: &[u8] = include_bytes!("test_certificate/server.pem");

async fn over_tls() -> Receiver {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let certificate = CertificateDer::from_pem_slice(SERVER).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SERVER).unwrap();
    let configuration = versions.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(configuration));
    Receiver::start(move |stream, hears| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, OK.as_bytes().into(), hears).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn https_needs_a_certificate_by_a_root_that_is_trusted() {
    let mut receiver = over_tls().await;
    let trusting = Caller::new(CallerOptions { extra_roots_pem: ROOT.to_vec(), ..options(Path::new("/nowhere")) });
    for host in ["127.0.0.1", "localhost"] {
        let handler = handler(&format!("https://{host}:{}/api", receiver.port), json!({}));
        assert_eq!(trusting.call(&handler, &call()).await.result.unwrap().status, 200, "{host}");
        assert_eq!(receiver.heard.recv().await.unwrap().body, call().body);
        let error = caller().call(&handler, &call()).await.result.unwrap_err();
        assert_eq!((error.reason, error.status), (FailureReason::Refused, None));
        let words = "the TLS connection failed: invalid peer certificate: ";
        assert!(error.message.starts_with(words), "{error}");
    }
    assert!(receiver.heard.try_recv().is_err(), "nothing was sent to who could be anyone");
}

#[tokio::test]
async fn https_to_what_speaks_http_only_has_its_words() {
    let receiver = Receiver::start(|mut stream, _| async move {
        let _hello = stream.read_u8().await;
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        closed(stream).await;
    })
    .await;
    let task = format!("https://127.0.0.1:{}/", receiver.port);
    let error = caller().call(&handler(&task, json!({})), &call()).await.result.unwrap_err();
    assert_eq!(error.reason, FailureReason::Refused);
    assert!(error.message.starts_with("the TLS connection failed: "), "{error}");
}
