//! A simulator and clients of it, with every wait bounded.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where its set-up fails")]

use std::path::PathBuf;
use std::time::Duration;

use ibapi::contracts::Contract;
use ibapi::market_data::TradingHours;
use ibapi::market_data::historical::{self, Bar, BarSize, WhatToShow};
use ibapi::{Client, Error};
use ktrdr_gateway_sim::faults::Rule;
use ktrdr_gateway_sim::{Config, Knobs, Report, Simulator};
use time::OffsetDateTime;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

/// Where the market's clock stands in all tests: a Saturday.
const NOW: &str = "2025-06-07T12:00:00Z";

pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.expect("took too long")
}

pub(crate) struct Gateway(Simulator);

impl Gateway {
    pub(crate) async fn start(knobs: Knobs) -> Self {
        Self::start_with(Config { knobs, ..Config::default() }).await
    }

    pub(crate) async fn start_version(server_version: i32) -> Self {
        Self::start_with(Config { server_version, ..Config::default() }).await
    }

    pub(crate) async fn start_replay(folder: PathBuf) -> Self {
        Self::start_with(Config { replay: Some(folder), ..Config::default() }).await
    }

    async fn start_with(mut config: Config) -> Self {
        config.knobs.now = Some(NOW.parse().unwrap());
        Self(Simulator::start(config).await.unwrap())
    }

    pub(crate) fn builder(&self, client_id: i32) -> ibapi::client::ClientBuilder {
        Client::builder()
            .address(self.0.address().to_string())
            .client_id(client_id)
            .max_reconnect_attempts(0)
            .one_shot_timeout(LIMIT)
    }

    pub(crate) async fn connect(&self, client_id: i32) -> Client {
        in_time(self.builder(client_id).connect()).await.unwrap()
    }

    pub(crate) async fn wait_for(&self, condition: impl Fn(&Report) -> bool) -> Report {
        in_time(self.0.wait_for(condition)).await
    }

    pub(crate) fn inject(&self, rule: Rule) {
        self.0.inject(rule);
    }

    pub(crate) async fn stop(self) -> Report {
        in_time(self.0.stop()).await
    }
}

pub(crate) async fn bars(
    client: &Client,
    contract: &Contract,
    size: BarSize,
    what: WhatToShow,
    hours: TradingHours,
    duration: historical::Duration,
    end: OffsetDateTime,
) -> Result<Vec<Bar>, Error> {
    let request = client.historical_data(contract, size).what_to_show(what).trading_hours(hours);
    Ok(in_time(request.duration(duration).ending(end).fetch()).await?.bars)
}

/// The code of a refusal.
pub(crate) fn notice_code<T: std::fmt::Debug>(answer: Result<T, Error>) -> i32 {
    match answer {
        Err(Error::Notice(notice)) => notice.code,
        other => panic!("{other:?}"),
    }
}
