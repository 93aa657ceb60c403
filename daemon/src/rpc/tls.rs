//! The listener for other machines: TLS with certificates on both sides. Nobody without one is even answered.

use std::{path::Path, sync::Arc, time::Duration};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{
    accept::{Door, Ping},
    peer::Peer,
};
use crate::config::Listen;

/// See [`Ping`]. Ours are many calls a minute or long streams, and a lid that is closed should not hold a seat for long.
const PING: Ping = Ping { every: Duration::from_secs(30), patience: Duration::from_secs(20) };

/// Opens the door; an error says what of the configuration cannot be used. Tests have shorter minutes.
pub async fn open(listen: &Listen, time_scale: f64) -> Result<Door, String> {
    let acceptor = TlsAcceptor::from(Arc::new(server_config(listen)?));
    let listener = TcpListener::bind(listen.address).await;
    let listener = listener.map_err(|error| format!("listen.address: {} cannot be had: {error}", listen.address))?;
    let ping = Ping { every: PING.every.div_f64(time_scale), patience: PING.patience.div_f64(time_scale) };
    Ok(Door { listener, acceptor, ping })
}

fn server_config(listen: &Listen) -> Result<ServerConfig, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates("listen.client_ca", &listen.client_ca)? {
        authorities.add(certificate).map_err(|error| format!("listen.client_ca: {error}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider.clone());
    let verifier = verifier.build().map_err(|error| format!("listen.client_ca: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(&listen.key);
    let key = key.map_err(|error| format!("listen.key: {} cannot be used: {error}", listen.key.display()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates("listen.certificate", &listen.certificate)?, key)
        .map_err(|error| format!("listen.certificate: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(name: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{name}: {} cannot be used: {error}", path.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?.collect();
    let found = found.map_err(|error| failed(&error))?;
    if found.is_empty() { Err(failed(&"it holds no certificate in PEM form")) } else { Ok(found) }
}

/// Whose key signed the handshake.
pub(super) fn peer(connection: &ServerConnection) -> Peer {
    let own = connection.peer_certificates().and_then(<[_]>::first);
    own.map_or(Peer::Unknown, |certificate| Peer::Certificate(fingerprint(certificate).into()))
}

/// As `openssl x509 -fingerprint -sha256` tells it, without colons, in lower case.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    use std::fmt::Write as _;
    let hash = ring::digest::digest(&ring::digest::SHA256, certificate);
    hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        // writing to a String cannot fail
        write!(text, "{byte:02x}").ok();
        text
    })
}
