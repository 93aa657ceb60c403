//! Which call needs which right. A call that is not in the table needs the highest.

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

/// Of Arrow Flight; whatever else it has, putting above all, is work.
const FLIGHT: &str = "/arrow.flight.protocol.FlightService/";
const FLIGHT_READ: [&str; 5] = ["DoGet", "GetFlightInfo", "GetSchema", "ListActions", "ListFlights"];

const MANAGE: [&str; 2] = ["Daemon/Shutdown", "Daemon/SetLogLevel"];

/// Of a path such as `/ktrdr.v1.MarketData/Query`. Health and reflection are for all who may call at all.
pub(super) fn needed(path: &str) -> Right {
    if let Some(call) = path.strip_prefix(FLIGHT) {
        return if FLIGHT_READ.contains(&call) { Right::Read } else { Right::Work };
    }
    let Some(call) = path.strip_prefix("/ktrdr.v1.") else { return Right::Read };
    if READ.contains(&call) {
        Right::Read
    } else if WORK.contains(&call) {
        Right::Work
    } else {
        Right::Manage
    }
}

/// In metrics.
const FLIGHT_NAMES: [&str; 5] = ["DoGet", "DoPut", "GetFlightInfo", "GetSchema", "ListFlights"];

/// Of a path, one of ours or `other`: what somebody sends is no name.
pub(super) fn name(path: &str) -> &'static str {
    let call = path.strip_prefix("/ktrdr.v1.").unwrap_or_default();
    let all = READ.iter().chain(&WORK).chain(&MANAGE);
    let flight = |call: &&str| path.strip_prefix(FLIGHT) == Some(call);
    all.copied().find(|known| *known == call).or(FLIGHT_NAMES.into_iter().find(flight)).unwrap_or("other")
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
        let of = |right| all.iter().filter(|call| needed(&format!("/ktrdr.v1.{call}")) == right).count();
        assert_eq!((of(Right::Read), of(Right::Work)), (READ.len(), WORK.len()));
        let managers: Vec<_> =
            all.iter().filter(|call| needed(&format!("/ktrdr.v1.{call}")) == Right::Manage).collect();
        assert_eq!(managers, MANAGE.each_ref());
        assert_eq!(needed("/ktrdr.v1.Daemon/Unheard"), Right::Manage);
        assert_eq!(needed("/grpc.health.v1.Health/Check"), Right::Read);
        assert_eq!(needed("/arrow.flight.protocol.FlightService/DoGet"), Right::Read);
        assert_eq!(needed("/arrow.flight.protocol.FlightService/DoPut"), Right::Work);
        assert_eq!(name("/arrow.flight.protocol.FlightService/DoPut"), "DoPut");
        assert!(all.iter().all(|call| name(&format!("/ktrdr.v1.{call}")) == call));
        assert_eq!(name("/ktrdr.v1.Daemon/Unheard"), "other");
    }
}
