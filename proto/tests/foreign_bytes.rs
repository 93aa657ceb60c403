//! Any bytes, as every message of the contract: what is read can be written, and reads to the same.

#![expect(clippy::expect_used, reason = "helpers of tests: a failure is a failed test")]

use std::collections::BTreeSet;

use ktrdr_foreign::Target;
use ktrdr_proto::{DESCRIPTORS, columns::BarColumns, v1 as pb};
use prost::Message;
use prost_types::FileDescriptorSet;

/// Whether it is one; of what is, the law holds.
fn again<M: Message + Default>(bytes: &[u8]) -> bool {
    let Ok(read) = M::decode(bytes) else { return false };
    // maps have no order: the same bytes, wherever they stand
    let sorted = |message: &M| {
        let mut bytes = message.encode_to_vec();
        bytes.sort_unstable();
        bytes
    };
    let written = read.encode_to_vec();
    let same = M::decode(written.as_slice()).expect("what was written can be read");
    assert_eq!(sorted(&same), sorted(&read));
    true
}

/// The one message that is not generated.
fn columns(bytes: &[u8]) -> bool {
    let Ok(bars) = BarColumns::decode(bytes) else { return false };
    let counts = [bars.open().len(), bars.high().len(), bars.low().len(), bars.close().len(), bars.volume().len()];
    assert_eq!(bars.start_ns().count(), bars.len());
    assert!(!bars.is_even() || counts == [bars.len(); 5], "{bars:?}");
    again::<BarColumns>(bytes)
}

type Reader = fn(&[u8]) -> bool;

macro_rules! messages {
    ($($name:ident)*) => { const MESSAGES: &[(&str, Reader)] = &[$((stringify!($name), again::<pb::$name>)),*]; };
}

messages! {
    BucketStatus Calendar CalendarDay CancelOperationRequest CancelOperationResponse CheckFinding
    CheckHostServicesRequest CheckHostServicesResponse CheckRequest CheckResponse CheckedDays ClosedBars
    CompactRequest CompactResponse Contract DeleteRequest DeleteResponse ExportRequest ExportResponse Failure Farm
    Gap GatewayStatus GetCalendarRequest GetCalendarResponse GetDaemonStatusRequest GetDaemonStatusResponse
    GetGatewayStatusRequest GetGatewayStatusResponse GetInfoRequest GetInfoResponse GetModelRequest
    GetModelResponse GetOperationRequest GetOperationResponse GetRangeRequest GetRangeResponse GetTrainingRequest
    GetTrainingResponse HostPool HostService ImportFile ImportRequest ImportResponse ImportResult ImportStart
    ImportedFile ListCalendarsRequest ListCalendarsResponse ListHostServicesRequest ListHostServicesResponse
    ListModelsRequest ListModelsResponse ListOperationsRequest ListOperationsResponse ListSeriesRequest
    ListSeriesResponse ListTrainingsRequest ListTrainingsResponse LiveState LoadManyRequest LoadManyResponse
    LoadRequest LoadResponse LoadResult LoadedSeries LoadsResult MissedBars Model NotKept Operation PacingStatus
    PacingUser PlanLoadRequest PlanLoadResponse PlannedHost PlannedLoad Progress ProgressPart QueryHeader
    QueryRequest QueryResponse ReconnectGatewayRequest ReconnectGatewayResponse RepairRequest RepairResponse
    RepairResult RepairStep Replaced RequestCounts RestoreRequest RestoreResponse RetryOperationRequest
    RetryOperationResponse Revision RowFinding SeriesId SeriesInfo SeriesSummary SetLogLevelRequest
    SetLogLevelResponse ShutdownRequest ShutdownResponse StartTrainingRequest StartTrainingResponse
    StopTrainingRequest StopTrainingResponse StoredFile StrategyFile SubscribeHeader SubscribeRequest
    SubscribeResponse TestGatewayRequest TestGatewayResponse TimeRange TrainingCurve TrainingPlan TrainingProgress
    TrainingResult TrainingSeries UnknownCode ValidateRequest ValidateResponse VerifyRequest VerifyResponse
    WatchGatewayRequest WatchGatewayResponse WatchOperationRequest WatchOperationResponse
}

#[test]
fn foreign_bytes() {
    // tags of fields, and what is in them, one inside of the other
    Target::new(env!("CARGO_MANIFEST_DIR"), "message").count(1_000).memory(512, 1 << 20).check(|bytes| {
        let read = MESSAGES.iter().filter(|(_, reads)| reads(bytes)).count() + usize::from(columns(bytes));
        if read == 0 { Err("it is no message".into()) } else { Ok(format!("{}", read / 10)) }
    });
}

#[test]
fn every_message_is_tried() {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
    let names = files.iter().filter(|file| file.package() == "ktrdr.v1").flat_map(|file| &file.message_type);
    let names: BTreeSet<&str> = names.map(prost_types::DescriptorProto::name).collect();
    let tried: BTreeSet<&str> = MESSAGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, tried.into_iter().chain(["BarColumns"]).collect());
}
