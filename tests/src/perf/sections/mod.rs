//! The parts of the table: what each measures, and what was promised of it.

mod calls;
mod commands;
mod hosts;
mod idle;
mod loads;
mod old;
mod show;
mod start;
mod store;
mod stream;
mod trainings;

use anyhow::Result;

use super::{
    Run,
    report::Row,
    shipped::Need::{self, Bare, BarsBench, Daemon, DynamicCli, HostBench, Sims, StaticCli},
};

/// A part of the table.
pub(super) struct Section {
    /// By which it is asked for.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) measure: fn(&Run) -> Result<Vec<Row>>,
}

/// All, in the order of the table.
pub(super) const ALL: [Section; 11] = [
    Section {
        name: "commands",
        title: "A command, whole process, daemon at rest",
        needs: &[Daemon, DynamicCli, StaticCli],
        measure: commands::measure,
    },
    Section {
        name: "calls",
        title: "Calls over a kept connection",
        needs: &[Daemon, DynamicCli, Bare, Sims],
        measure: calls::measure,
    },
    Section {
        name: "stream",
        title: "A million bars over the socket",
        needs: &[Daemon, DynamicCli, Bare],
        measure: stream::measure,
    },
    Section {
        name: "start",
        title: "From exec to the first answer, without a gateway",
        needs: &[Daemon, DynamicCli],
        measure: start::measure,
    },
    Section { name: "idle", title: "The daemon at rest", needs: &[Daemon, DynamicCli], measure: idle::measure },
    Section { name: "store", title: "Bars on disk", needs: &[Daemon, DynamicCli, BarsBench], measure: store::measure },
    Section {
        name: "show",
        title: "Bars as text, whole process",
        needs: &[Daemon, DynamicCli, StaticCli],
        measure: show::measure,
    },
    Section { name: "hosts", title: "A request to a host service", needs: &[HostBench], measure: hosts::measure },
    Section {
        name: "trainings",
        title: "A thousand training sessions on four hosts",
        needs: &[Daemon, DynamicCli, Sims],
        measure: trainings::measure,
    },
    Section {
        name: "loads",
        title: "Loads from the simulated gateway, 600 times as fast as the real one",
        needs: &[Daemon, DynamicCli, Sims],
        measure: loads::measure,
    },
    Section {
        name: "old",
        title: "The Python command line, on the same series",
        needs: &[Daemon, DynamicCli, StaticCli],
        measure: old::measure,
    },
];
