//! Clients on other machines: TLS with certificates on both sides, and a right for each of them.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use hyper_util::rt::TokioIo;
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, GetGatewayStatusRequest, ShutdownRequest, WatchGatewayRequest, daemon_client::DaemonClient,
    gateway_client::GatewayClient, operations_client::OperationsClient,
};
use ktrdr_tests::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    programs::programs,
    wait,
};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::{io::AsyncReadExt as _, net::TcpStream, sync::oneshot};
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
    assert!(output.status.code() == Some(2) && text.contains("listen.address"), "{text}");

    let config = home.path().join("config/ktrdr/config.toml");
    let text = std::fs::read_to_string(&config)?.replace("ca.pem", "none.pem");
    std::fs::write(&config, text)?;
    let output = home.command(program).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("listen.client_ca"), "{text}");
    Ok(())
}

#[test]
fn a_daemon_whose_address_is_taken_never_greets_the_gateway() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for (variable, key) in
        [("KTRDR_OBSERVE_METRICS", "observe.metrics"), ("KTRDR_LISTEN_IB_SERVICE", "listen.ib_service")]
    {
        let mut home = home_with(&sim)?;
        home.set(variable, &address);
        let output = home.command(&programs()?.ktrdrd).output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        // as for all mistakes in the configuration: systemd does not try again
        assert!(output.status.code() == Some(2) && text.contains(key), "{text}");
    }
    assert_eq!(sim.report()?.connections(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_never_shakes_hands_keeps_nobody_from_it() -> Result<()> {
    let authority = Authority::new()?;
    let reader = authority.vouches_for("notebook")?;
    let (home, address) = home(&authority, &format!("[access]\nread = [\"sha256:{}\"]\n", reader.fingerprint()))?;
    let _daemon = TestDaemon::start_in(home)?;
    // more than shake hands at once
    let silent = futures_util::future::try_join_all((0..100).map(|_| TcpStream::connect(address))).await?;
    let answered = async {
        let channel = connect(address, &authority, Some(&reader)).await?;
        Ok::<_, anyhow::Error>(DaemonClient::new(channel).get_status(GetDaemonStatusRequest {}).await?)
    };
    // far less than a handshake may take
    tokio::time::timeout(Duration::from_secs(5), answered).await.context("the door is shut")??;
    drop(silent);
    Ok(())
}

/// An address that leads to another, until who calls there falls asleep: then it takes and says nothing more, and closes nothing. The
/// last tells when the other end has given up.
async fn with_a_lid(to: SocketAddr) -> Result<(SocketAddr, oneshot::Sender<()>, oneshot::Receiver<()>)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let ((close, mut closed), (gone, is_gone)) = (oneshot::channel::<()>(), oneshot::channel());
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await?;
        let mut far = TcpStream::connect(to).await?;
        tokio::select! {
            ended = tokio::io::copy_bidirectional(&mut near, &mut far) => drop(ended?),
            _ = &mut closed => {}
        }
        // what is still sent is taken by the network, not by the machine
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.ok();
        gone.send(()).ok();
        drop(near);
        Ok::<_, std::io::Error>(())
    });
    Ok((address, close, is_gone))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_falls_asleep_loses_its_seat_and_one_that_is_awake_and_silent_does_not() -> Result<()> {
    let authority = Authority::new()?;
    let reader = authority.vouches_for("notebook")?;
    let (mut home, address) = home(&authority, &format!("[access]\nread = [\"sha256:{}\"]\n", reader.fingerprint()))?;
    // half a minute of silence is a second
    home.set("KTRDR_TEST_TIME_SCALE", "30");
    let daemon = TestDaemon::start_in(home)?;
    let watching = async |address| {
        let mut client = GatewayClient::new(connect(address, &authority, Some(&reader)).await?);
        let mut stream = client.watch(WatchGatewayRequest {}).await?.into_inner();
        stream.message().await?.context("the state comes first")?;
        Ok::<_, anyhow::Error>((client, stream))
    };
    let (lid, close, gone) = with_a_lid(address).await?;
    let (awake, asleep) = (watching(address).await?, watching(lid).await?);
    close.send(()).ok().context("the relay has ended")?;
    tokio::time::timeout(wait::LIMIT, gone).await.context("it kept its seat")??;
    let (mut client, _stream) = awake;
    client.get_status(GetGatewayStatusRequest {}).await?;
    drop(asleep);
    daemon.terminate()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_with_a_call_on_each_connection_leaves_seats_for_the_owner() -> Result<()> {
    let authority = Authority::new()?;
    let reader = authority.vouches_for("notebook")?;
    let access = format!("[limits]\nconnections = 16\n[access]\nread = [\"sha256:{}\"]\n", reader.fingerprint());
    let (home, address) = home(&authority, &access)?;
    let daemon = TestDaemon::start_in(home)?;
    let mut watching = Vec::new();
    for _ in 0..16 {
        let Ok(channel) = connect(address, &authority, Some(&reader)).await else { continue };
        if let Ok(stream) = GatewayClient::new(channel).watch(WatchGatewayRequest {}).await {
            watching.push(stream.into_inner());
        }
    }
    assert_eq!(watching.len(), 12, "three quarters of the seats");
    daemon.ktrdr("daemon status")?.ok()?;
    daemon.ktrdr("daemon stop")?.ok()?;
    Ok(())
}
