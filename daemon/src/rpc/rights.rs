//! Which call needs which right, and which are short. A call that is not in the table needs the highest.

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
const SHORT: [&str; 11] = [
    "Daemon/GetStatus",
    "Gateway/GetStatus",
    "HostServices/List",
    "MarketData/GetCalendar",
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
}

impl Called {
    /// A call whose answer is at hand, here or in the ledger.
    pub(super) fn is_short(&self) -> bool {
        SHORT.contains(&self.name)
    }
}

/// By a path such as `/ktrdr.v1.MarketData/Query`. Health and reflection are for all who may call at all.
pub(super) fn called(path: &str) -> Called {
    const OTHER: &str = "other";
    let named = |calls: &[&'static str], call: &str| calls.iter().copied().find(|name| *name == call);
    if let Some(call) = path.strip_prefix("/ktrdr.v1.") {
        let known = |calls: &[&'static str], needs| named(calls, call).map(|name| Called { name, needs });
        let read = known(&READ, Right::Read);
        let called = read.or_else(|| known(&WORK, Right::Work)).or_else(|| known(&MANAGE, Right::Manage));
        return called.unwrap_or(Called { name: OTHER, needs: Right::Manage });
    }
    let Some(call) = path.strip_prefix(FLIGHT) else { return Called { name: OTHER, needs: Right::Read } };
    let needs = if FLIGHT_READ.contains(&call) { Right::Read } else { Right::Work };
    Called { name: named(&FLIGHT_NAMES, call).unwrap_or(OTHER), needs }
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
        assert!(SHORT.iter().all(|call| called_of(call) == Called { name: call, needs: Right::Read }));
        let managers: Vec<_> = all.iter().filter(|call| called_of(call).needs == Right::Manage).collect();
        assert_eq!(managers, MANAGE.each_ref());
        assert!(all.iter().all(|call| called_of(call).name == call));
        assert_eq!(called_of("Daemon/Unheard"), Called { name: "other", needs: Right::Manage });
        assert_eq!(called("/grpc.health.v1.Health/Check"), Called { name: "other", needs: Right::Read });
        let flight = |call: &str| called(&format!("{FLIGHT}{call}"));
        assert_eq!(flight("DoGet"), Called { name: "DoGet", needs: Right::Read });
        assert_eq!(flight("DoPut"), Called { name: "DoPut", needs: Right::Work });
        assert_eq!(flight("Unheard"), Called { name: "other", needs: Right::Work });
    }
}
