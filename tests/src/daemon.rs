//! The real `ktrdrd` in a folder of its own.

use std::{
    fs::File,
    ops::{Deref, DerefMut},
    path::Path,
    process::ExitStatus,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, GetDaemonStatusResponse, daemon_client::DaemonClient, gateway_client::GatewayClient,
    market_data_client::MarketDataClient, operations_client::OperationsClient,
};
use rustix::process::Signal;
use tonic::transport::{Channel, Endpoint};

use crate::{gateway_sim::GatewaySim, home::Home, process::Process, programs::programs, wait};

/// Longer than the daemon's own grace.
const STOP_MAX: Duration = Duration::from_secs(12);

/// A daemon at work. Its [`Home`] is what it and the command line live in.
#[derive(Debug)]
pub struct TestDaemon {
    process: Process,
    home: Home,
}

impl Deref for TestDaemon {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl DerefMut for TestDaemon {
    fn deref_mut(&mut self) -> &mut Home {
        &mut self.home
    }
}

impl TestDaemon {
    /// Without a gateway.
    pub fn alone() -> Result<Self> {
        Self::start_in(Home::new()?)
    }

    /// With a gateway.
    pub fn start(gateway: &GatewaySim) -> Result<Self> {
        Self::start_in(home_with(gateway)?)
    }

    /// With a gateway whose hours are seconds: pauses and pacing shrink by `scale`, which must be that of the gateway.
    pub fn hurried(gateway: &GatewaySim, scale: u32) -> Result<Self> {
        let mut home = home_with(gateway)?;
        home.set("KTRDR_TEST_TIME_SCALE", scale.to_string());
        Self::start_in(home)
    }

    /// In a home that exists; returns when it answers.
    pub fn start_in(home: Home) -> Result<Self> {
        let process = spawn(&home)?;
        let mut daemon = Self { process, home };
        daemon.ready()?;
        Ok(daemon)
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn ready(&mut self) -> Result<()> {
        let (process, socket) = (&mut self.process, self.home.socket());
        wait::until_true("an answer of the daemon", wait::LIMIT, || {
            if let Some(status) = process.ended()? {
                bail!("the daemon ended before it answered: {status}");
            }
            Ok(status_of(&socket).is_ok())
        })
    }

    /// Asks it what it is.
    pub fn status(&self) -> Result<GetDaemonStatusResponse> {
        status_of(&self.home.socket())
    }

    /// SIGKILL: no good-byes.
    pub fn kill_9(mut self) -> Result<Stopped> {
        self.process.kill()?;
        Ok(self.stopped())
    }

    /// SIGTERM; it must leave by itself and within its grace.
    pub fn terminate(mut self) -> Result<Stopped> {
        self.process.signal(Signal::TERM)?;
        let status = self.process.ended_within(STOP_MAX)?;
        ensure!(status.success(), "the daemon stopped with {status}");
        Ok(self.stopped())
    }

    /// Waits for an end that somebody else asked for.
    pub fn ended_within(mut self, limit: Duration) -> Result<(ExitStatus, Stopped)> {
        let status = self.process.ended_within(limit)?;
        Ok((status, self.stopped()))
    }

    /// The folder goes on, the process does not.
    fn stopped(self) -> Stopped {
        Stopped { home: self.home }
    }

    /// Stops in order, starts again.
    pub fn restart(self) -> Result<Self> {
        self.terminate()?.start()
    }

    /// A connection for the clients below; made at the first call.
    pub fn channel(&self) -> Result<Channel> {
        channel(&self.home.socket())
    }

    /// `ktrdr.v1.MarketData`.
    pub fn market_data(&self) -> Result<MarketDataClient<Channel>> {
        Ok(MarketDataClient::new(self.channel()?).max_decoding_message_size(16 << 20))
    }

    /// `ktrdr.v1.Operations`.
    pub fn operations(&self) -> Result<OperationsClient<Channel>> {
        Ok(OperationsClient::new(self.channel()?))
    }

    /// `ktrdr.v1.Gateway`.
    pub fn gateway(&self) -> Result<GatewayClient<Channel>> {
        Ok(GatewayClient::new(self.channel()?))
    }

    /// `ktrdr.v1.Daemon`.
    pub fn daemon(&self) -> Result<DaemonClient<Channel>> {
        Ok(DaemonClient::new(self.channel()?))
    }
}

/// What a daemon left behind.
#[derive(Debug)]
pub struct Stopped {
    home: Home,
}

impl Stopped {
    /// A new daemon in the same home.
    pub fn start(self) -> Result<TestDaemon> {
        TestDaemon::start_in(self.home)
    }

    /// The home, for tests that look at or change what is in it.
    pub fn home(&mut self) -> &mut Home {
        &mut self.home
    }

    /// The home alone.
    pub fn into_home(self) -> Home {
        self.home
    }
}

/// A home whose gateway is this one.
pub fn home_with(gateway: &GatewaySim) -> Result<Home> {
    let mut home = Home::new()?;
    home.set("KTRDR_IB_PORT", gateway.port().to_string());
    Ok(home)
}

/// Starts a daemon and does not wait for it.
pub fn spawn(home: &Home) -> Result<Process> {
    let log = File::options().create(true).append(true).open(home.daemon_log())?;
    let mut command = home.command(&programs()?.ktrdrd);
    command.stdout(log.try_clone()?).stderr(log);
    Process::start(command)
}

/// A lazy channel to a socket.
pub fn channel(socket: &Path) -> Result<Channel> {
    Ok(Endpoint::from_shared(format!("unix://{}", socket.display()))?.connect_lazy())
}

/// One call on a thread of its own, so that it works inside and outside of a runtime.
pub fn status_of(socket: &Path) -> Result<GetDaemonStatusResponse> {
    let call = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut client = DaemonClient::new(channel(socket)?);
            let answer = client.get_status(GetDaemonStatusRequest {});
            let answer = tokio::time::timeout(Duration::from_secs(5), answer).await??;
            Ok(answer.into_inner())
        })
    };
    std::thread::scope(|scope| scope.spawn(call).join())
        .unwrap_or_else(|_| bail!("the call panicked"))
        .context("Daemon.GetStatus")
}
