//! The real programs, end to end: one promise a test, named after it. `ktrdr_tests` is the harness.

mod support;

mod address;
mod ageing;
mod autostart;
mod bucket;
mod chaos;
mod check;
mod clients;
mod codes;
mod contracts;
mod crash;
mod demo;
mod disk;
mod gateway;
mod harness;
mod host_source;
mod housekeeping;
mod housekeeping_kills;
mod lean;
mod lifecycle;
mod live;
mod live_clients;
mod load;
mod loads;
mod merge;
mod peers;
mod python;
mod refusals;
mod session;
mod store;
mod supervised;
mod training;
mod traps;
mod views;
mod wire;
