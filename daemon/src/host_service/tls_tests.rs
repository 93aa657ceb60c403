//! Services with certificates of every kind, behind real TLS.

use std::{path::PathBuf, sync::Arc};

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

use super::{Address, Call, HostConfig, HostService, Route, Trouble};
use crate::error::Reasoned;

const HEALTH: Route = Route::get("/health", 5, 0);

/// Who vouches, and the file that names it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file, _folder: folder }
    }
}

/// A service that answers `{}` to whatever reaches it through TLS; its port, and a word for each request that did.
async fn serve(authority: &Authority, name: &str, until: i32) -> (u16, mpsc::UnboundedReceiver<()>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // who does not trust us says so in the middle of the greeting
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            if matches!(stream.read(&mut buffer).await, Ok(1..)) {
                heard.send(()).unwrap();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer).await.unwrap();
                // open until the client closes it
                drop(stream.read(&mut buffer).await);
            }
        }
    });
    (port, requests)
}

fn service(port: u16, ca_file: Option<PathBuf>) -> HostService {
    let address = Address::parse(&format!("https://localhost:{port}")).unwrap();
    HostService::new(HostConfig { name: "gpu1".into(), kind: "training", address, connections: 2, ca_file, hurry: 1 })
        .unwrap()
}

/// Why a call did not come about; nothing of it may have reached the service.
async fn refused(authority: &Authority, name: &str, until: i32, ca_file: Option<PathBuf>) -> String {
    let (port, mut requests) = serve(authority, name, until).await;
    let error = service(port, ca_file).call(&Call::of(&HEALTH)).await.unwrap_err();
    assert!(requests.try_recv().is_err(), "a service that is not trusted was told something");
    assert_eq!(error.reason().name, "HOST_CERTIFICATE");
    match error.trouble {
        Trouble::Certificate(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_service_whose_authority_is_in_the_file_is_spoken_to() {
    let authority = Authority::new();
    let (port, mut requests) = serve(&authority, "localhost", 2100).await;
    let service = service(port, Some(authority.file.clone()));
    assert_eq!(service.call(&Call::of(&HEALTH)).await.unwrap().body.as_ref(), b"{}");
    assert!(requests.recv().await.is_some());
}

#[tokio::test]
async fn what_nobody_vouches_for_is_told_nothing() {
    let authority = Authority::new();
    let unknown = refused(&authority, "localhost", 2100, None).await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let stranger = Authority::new();
    let other = refused(&authority, "localhost", 2100, Some(stranger.file.clone())).await;
    assert!(!other.is_empty());
    let name = refused(&authority, "gpu7.example.org", 2100, Some(authority.file.clone())).await;
    assert!(name.contains("localhost"), "{name}");
    let expired = refused(&authority, "localhost", 2024, Some(authority.file.clone())).await;
    assert!(expired.contains("expired"), "{expired}");
}

#[test]
fn a_file_without_certificates_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.pem");
    assert!(super::tls::connector(Some(&path)).err().unwrap().contains("missing.pem"));
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n").unwrap();
    assert!(super::tls::connector(Some(&path)).err().unwrap().contains("missing.pem"));
    std::fs::write(&path, "no certificate at all").unwrap();
    assert!(super::tls::connector(Some(&path)).err().unwrap().contains("missing.pem"));
}
