//! Clients on other machines: TLS with certificates on both sides, and a right for each of them.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use hyper_util::rt::TokioIo;
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, ShutdownRequest, daemon_client::DaemonClient, operations_client::OperationsClient,
};
use ktrdr_tests::{daemon::TestDaemon, home::Home, programs::programs, wait};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{
    Code,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

use crate::support::free_address;

struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    fn vouches_for(&self, name: &str) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &self.0)?;
        Ok(Identity { certificate, key })
    }
}

impl Identity {
    fn fingerprint(&self) -> String {
        let hash = ring::digest::digest(&ring::digest::SHA256, self.certificate.der());
        hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }
}

/// As a client on another machine connects.
async fn connect(address: SocketAddr, trusts: &Authority, own: Option<&Identity>) -> Result<Channel> {
    let mut roots = RootCertStore::empty();
    roots.add(trusts.0.der().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match own {
        Some(own) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
            config.with_client_auth_cert(vec![own.certificate.der().clone()], key)?
        }
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("ktrdr.test").map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
        }
    });
    Ok(Endpoint::from_static("http://ktrdr.test").connect_with_connector(connect).await?)
}

/// A home whose daemon listens for those that `authority` vouches for; `access` is the rest of its configuration.
fn home(authority: &Authority, access: &str) -> Result<(Home, SocketAddr)> {
    let (home, address, own) = (Home::new()?, free_address()?, authority.vouches_for("ktrdr.test")?);
    let ca = home.file("ca.pem", authority.0.pem())?;
    let certificate = home.file("own.pem", own.certificate.pem())?;
    let key = home.file("own.key", own.key.serialize_pem())?;
    let (certificate, key, ca) = (certificate.display(), key.display(), ca.display());
    let text = format!(
        "[listen]\naddress = '{address}'\ncertificate = '{certificate}'\nkey = '{key}'\nclient_ca = '{ca}'\n{access}"
    );
    let folder = home.path().join("config/ktrdr");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("config.toml"), text)?;
    Ok((home, address))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_has_the_right_that_it_was_given_and_no_other() -> Result<()> {
    let authority = Authority::new()?;
    let [reader, stranger] = [authority.vouches_for("notebook")?, authority.vouches_for("stranger")?];
    let access = format!("[access]\nread = [\"sha256:{}\"]\n", reader.fingerprint());
    let (home, address) = home(&authority, &access)?;
    let daemon = TestDaemon::start_in(home)?;

    let channel = connect(address, &authority, Some(&reader)).await?;
    let status = DaemonClient::new(channel.clone()).get_status(GetDaemonStatusRequest {}).await?.into_inner();
    assert_eq!(status.pid, daemon.status()?.pid, "the same daemon as on the socket");
    OperationsClient::new(channel.clone()).list(ktrdr_proto::v1::ListOperationsRequest::default()).await?;
    let refused = DaemonClient::new(channel).shutdown(ShutdownRequest { restart: false }).await;
    let refused = refused.err().context("a reader has stopped the daemon")?;
    assert!(refused.code() == Code::PermissionDenied && refused.message().contains("right to read"), "{refused:?}");

    let channel = connect(address, &authority, Some(&stranger)).await?;
    let refused = DaemonClient::new(channel).get_status(GetDaemonStatusRequest {}).await;
    let refused = refused.err().context("a stranger was answered")?;
    assert!(refused.message().contains("no right is given to the certificate sha256:"), "{refused:?}");
    daemon.terminate()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_of_that_authority_nobody_is_answered() -> Result<()> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let impostor = other.vouches_for("notebook")?;
    let access = format!("[access]\nmanage = [\"sha256:{}\"]\n", impostor.fingerprint());
    let (home, address) = home(&authority, &access)?;
    let daemon = TestDaemon::start_in(home)?;
    for own in [None, Some(&impostor)] {
        // with TLS 1.3 the refusal comes after the client has said all it has to say
        let answer = match connect(address, &authority, own).await {
            Ok(channel) => DaemonClient::new(channel).get_status(GetDaemonStatusRequest {}).await.map(drop).ok(),
            Err(_) => None,
        };
        assert!(answer.is_none());
    }
    // a peer that never shakes hands keeps nobody from it
    let _silent: Vec<TcpStream> =
        futures_util::future::try_join_all((0..20).map(|_| TcpStream::connect(address))).await?;
    let mut plain = DaemonClient::new(Endpoint::from_shared(format!("http://{address}"))?.connect_lazy());
    assert!(plain.get_status(GetDaemonStatusRequest {}).await.is_err(), "plain HTTP/2 was answered");
    daemon.ktrdr("daemon status")?.ok()?;
    wait::until_true("the refusals in the log", wait::LIMIT, || {
        Ok(std::fs::read_to_string(daemon.daemon_log())?.contains("a handshake failed"))
    })
}

#[test]
fn a_listener_that_cannot_be_had_is_told_before_anything_starts() -> Result<()> {
    let authority = Authority::new()?;
    let (home, address) = home(&authority, "")?;
    let program = &programs()?.ktrdrd;
    let _taken = TcpListener::bind(address)?;
    let output = home.command(program).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("listen.address"), "{text}");

    let config = home.path().join("config/ktrdr/config.toml");
    let text = std::fs::read_to_string(&config)?.replace("ca.pem", "none.pem");
    std::fs::write(&config, text)?;
    let output = home.command(program).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("listen.client_ca"), "{text}");
    Ok(())
}
