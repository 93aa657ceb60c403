//! The real `ktrdr-ib-host-sim`: the old HTTP service in front of a gateway, with the market of the simulated one.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::{
    http_sim::{HttpSim, Kind},
    programs::Programs,
};

/// An IB host service.
#[derive(Debug)]
pub struct IbHost;

/// A simulated IB host service at work.
pub type IbHostSim = HttpSim<IbHost>;

impl Kind for IbHost {
    const NAME: &'static str = "IB host service";

    fn program(programs: &Programs) -> &Path {
        &programs.ib_host_sim
    }
}

impl IbHostSim {
    /// Its gateway goes away, or comes back.
    pub fn gateway_down(&self, down: bool) -> Result<()> {
        self.tell("/_sim/gateway", &json!({"down": down}))
    }
}
