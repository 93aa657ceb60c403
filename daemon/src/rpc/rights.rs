//! Which call needs which right, and which are short. A call that is not in the table needs the highest.

use std::{collections::HashMap, sync::LazyLock};

/// What somebody may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    /// Look, and read what is stored.
    Read,
    /// Spend the gateway's and the hosts' time, and change what is stored.
    Work,
    /// Stop the daemon, and change how it runs.
    Manage,
}

impl Right {
    /// As in the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Work => "work",
            Self::Manage => "manage",
        }
    }
}

const READ: [&str; 21] = [
    "Daemon/GetStatus",
    "Gateway/GetStatus",
    "Gateway/Watch",
    "HostServices/List",
    "Housekeeping/GetInfo",
    "Housekeeping/Verify",
    "MarketData/Check",
    "MarketData/Export",
    "MarketData/GetCalendar",
    "MarketData/GetRange",
    "MarketData/ListCalendars",
    "MarketData/ListSeries",
    "MarketData/PlanLoad",
    "MarketData/Query",
    "Operations/Get",
    "Operations/List",
    "Operations/Watch",
    "Training/Get",
    "Training/GetModel",
    "Training/List",
    "Training/ListModels",
];
const WORK: [&str; 16] = [
    "Gateway/Test",
    "HostServices/Check",
    "Housekeeping/Compact",
    "Housekeeping/Delete",
    "Housekeeping/Repair",
    "Housekeeping/Restore",
    "MarketData/Import",
    "MarketData/Load",
    "MarketData/LoadMany",
    // it takes one of the gateway's lines, and what comes is stored
    "MarketData/Subscribe",
    // a contract that is not known yet is asked for
    "MarketData/Validate",
    "Operations/Cancel",
    "Operations/Retry",
    "Training/Start",
    "Training/Stop",
    "Gateway/Reconnect",
];

/// Answered from memory, or from some rows of the ledger, without asking anybody else: there is nothing to follow.
const SHORT: [&str; 10] = [
    "Daemon/GetStatus",
    "Gateway/GetStatus",
    "HostServices/List",
    "MarketData/GetRange",
    "MarketData/ListCalendars",
    "MarketData/ListSeries",
    "Operations/Get",
    "Operations/List",
    "Training/Get",
    "Training/List",
];

/// Of Arrow Flight; whatever else it has, putting above all, is work.
const FLIGHT: &str = "/arrow.flight.protocol.FlightService/";
const FLIGHT_READ: [&str; 5] = ["DoGet", "GetFlightInfo", "GetSchema", "ListActions", "ListFlights"];

const MANAGE: [&str; 2] = ["Daemon/Shutdown", "Daemon/SetLogLevel"];

/// In metrics.
const FLIGHT_NAMES: [&str; 5] = ["DoGet", "DoPut", "GetFlightInfo", "GetSchema", "ListFlights"];

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Called {
    /// One of ours, or `other`: what somebody sends is no name.
    pub(super) name: &'static str,
    pub(super) needs: Right,
    /// Its answer is at hand, here or in the ledger.
    pub(super) is_short: bool,
}

const OTHER: &str = "other";

/// Ours, by what follows the package in their paths.
static OURS: LazyLock<HashMap<&'static str, Called>> = LazyLock::new(|| {
    let all = [(&READ[..], Right::Read), (&WORK[..], Right::Work), (&MANAGE[..], Right::Manage)];
    let called = |name, needs| Called { name, needs, is_short: SHORT.contains(&name) };
    all.into_iter().flat_map(|(names, needs)| names.iter().map(move |name| (*name, called(name, needs)))).collect()
});

/// By a path such as `/ktrdr.v1.MarketData/Query`. Health and reflection are for all who may call at all.
pub(super) fn called(path: &str) -> Called {
    let other = |needs| Called { name: OTHER, needs, is_short: false };
    if let Some(call) = path.strip_prefix("/ktrdr.v1.") {
        return OURS.get(call).copied().unwrap_or(other(Right::Manage));
    }
    let Some(call) = path.strip_prefix(FLIGHT) else { return other(Right::Read) };
    let needs = if FLIGHT_READ.contains(&call) { Right::Read } else { Right::Work };
    let name = FLIGHT_NAMES.into_iter().find(|name| *name == call);
    Called { name: name.unwrap_or(OTHER), ..other(needs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    /// Nothing is in the table that the contract does not have, and only these calls are for managers.
    #[test]
    fn every_call_has_its_right() {
        #[derive(Clone, PartialEq, prost::Message)]
        struct Files {
            #[prost(message, repeated, tag = "1")]
            files: Vec<File>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        struct File {
            #[prost(message, repeated, tag = "6")]
            services: Vec<Service>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        struct Service {
            #[prost(string, tag = "1")]
            name: String,
            #[prost(message, repeated, tag = "2")]
            methods: Vec<Method>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        struct Method {
            #[prost(string, tag = "1")]
            name: String,
        }
        let files = Files::decode(ktrdr_proto::DESCRIPTORS).unwrap().files;
        let services = files.iter().flat_map(|file| &file.services);
        let all: Vec<String> = services
            .flat_map(|service| service.methods.iter().map(|method| format!("{}/{}", service.name, method.name)))
            .collect();
        let called_of = |call: &str| called(&format!("/ktrdr.v1.{call}"));
        let of = |right| all.iter().filter(|call| called_of(call).needs == right).count();
        assert_eq!((of(Right::Read), of(Right::Work)), (READ.len(), WORK.len()));
        assert!(SHORT.iter().all(|call| called_of(call) == Called { name: call, needs: Right::Read, is_short: true }));
        let managers: Vec<_> = all.iter().filter(|call| called_of(call).needs == Right::Manage).collect();
        assert_eq!(managers, MANAGE.each_ref());
        assert!(all.iter().all(|call| called_of(call).name == call));
        let long = |name, needs| Called { name, needs, is_short: false };
        assert_eq!(called_of("MarketData/Load"), long("MarketData/Load", Right::Work));
        assert_eq!(called_of("Daemon/Unheard"), long("other", Right::Manage));
        assert_eq!(called("/grpc.health.v1.Health/Check"), long("other", Right::Read));
        let flight = |call: &str| called(&format!("{FLIGHT}{call}"));
        assert_eq!(flight("DoGet"), long("DoGet", Right::Read));
        assert_eq!(flight("DoPut"), long("DoPut", Right::Work));
        assert_eq!(flight("Unheard"), long("other", Right::Work));
    }
}
