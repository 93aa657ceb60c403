//! What is stored at the end, against what the gateway has.

use anyhow::{Context as _, Result, bail};

use super::{
    calls::Clients,
    visitors,
    watchers::{self, LiveVerdict},
    world::World,
};

/// Bars of all series, and those that were told live.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) expected: u64,
    pub(crate) stored: u64,
    /// Acknowledged and not there.
    pub(crate) lost: u64,
    /// There, and not what the gateway has.
    pub(crate) wrong: u64,
    /// The first that was lost of each series.
    pub(crate) examples: Vec<String>,
    pub(crate) live: LiveVerdict,
}

pub(crate) async fn look(world: &World) -> Result<Verdict> {
    let clients = Clients::new(world)?;
    let mut verdict = Verdict { live: watchers::look(world, &clients).await, ..Verdict::default() };
    let done = std::mem::take(&mut world.tally().done);
    for (number, series) in world.market.series.iter().enumerate() {
        let parts = match visitors::bars(&clients, series, None).await {
            Ok(parts) => parts,
            Err(status) if status.code() == tonic::Code::NotFound => Vec::new(),
            Err(status) => bail!("{}: {status:?}", series.name()),
        };
        let starts: std::collections::HashSet<i64> =
            parts.iter().flat_map(ktrdr_proto::columns::BarColumns::start_ns).collect();
        let acknowledged = done.iter().filter(|piece| piece.series == number);
        let missing: Vec<i64> = acknowledged
            .flat_map(|piece| series.bars.range(piece.start..piece.end))
            .map(|(start, _)| *start)
            .filter(|start| !starts.contains(start))
            .collect();
        let first =
            missing.first().map(|start| format!("{} bars of {}, from {start} on", missing.len(), series.name()));
        verdict.examples.extend(first);
        verdict.lost += u64::try_from(missing.len()).context("too many")?;
        verdict.wrong += u64::try_from(visitors::differences(series, &parts).len())?;
        verdict.expected += u64::try_from(series.bars.len())?;
        verdict.stored += u64::try_from(starts.len())?;
    }
    world.tally().done = done;
    Ok(verdict)
}
