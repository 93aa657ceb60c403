//! Server reflection, made when somebody asks for it: to read all descriptors takes longer than the rest of a start.

use std::{convert::Infallible, sync::LazyLock};

use http::{Request, Response};
use tonic::body::Body;
use tonic_reflection::server::{Builder, Error};
use tower::util::BoxCloneSyncService;

pub(super) type Made = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Both versions; `None` where the descriptors cannot be read, which a test would see.
static V1: LazyLock<Option<Made>> = LazyLock::new(|| told(about().build_v1().map(BoxCloneSyncService::new)));
static V1_ALPHA: LazyLock<Option<Made>> = LazyLock::new(|| told(about().build_v1alpha().map(BoxCloneSyncService::new)));

fn about() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(ktrdr_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        // what is in an error, which no call names
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

fn told(made: Result<Made, Error>) -> Option<Made> {
    made.inspect_err(|error| tracing::error!(%error, "cannot offer reflection")).ok()
}

/// The service, if it is reflection that is called.
pub(super) fn of(path: &str) -> Option<Made> {
    let version = path.strip_prefix("/grpc.reflection.")?.split_once('.')?.0;
    match version {
        "v1" => V1.clone(),
        "v1alpha" => V1_ALPHA.clone(),
        _ => None,
    }
}
