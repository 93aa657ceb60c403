//! Spans to a collector, by OTLP over gRPC: on a machine of one's own, so without TLS. A collector that is away costs nothing but its
//! traces.

use std::time::Duration;

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

/// For one export, and for the last one at the end.
const EXPORT: Duration = Duration::from_secs(5);

/// Ends the export: what was collected is sent, if that takes no longer than 5 s.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Blocks.
    pub fn finish(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(EXPORT) {
            tracing::debug!(%error, "the last traces are lost");
        }
    }
}

/// A layer that sends spans to `collector`. Needs a runtime around it.
pub(super) fn layer<S>(collector: &str) -> Result<(impl Layer<S>, Traces), String>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(collector).with_timeout(EXPORT).build();
    let exporter = exporter.map_err(|error| format!("observe.otlp: {error}"))?;
    let about = Resource::builder()
        .with_service_name("ktrdrd")
        .with_attribute(KeyValue::new("service.version", ktrdr_proto::BUILD))
        .build();
    let provider = SdkTracerProvider::builder().with_resource(about).with_batch_exporter(exporter).build();
    let layer =
        tracing_opentelemetry::layer().with_tracer(provider.tracer("ktrdrd")).with_location(false).with_threads(false);
    Ok((layer, Traces(provider)))
}
