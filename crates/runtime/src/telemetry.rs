//! Logs, traces and metrics.
//!
//! Logs go to standard error; traces and metrics go to an OpenTelemetry collector when one is configured. Trace context
//! then crosses calls and events, so that one trace shows a question through all services.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Problem, Validate};

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line, for machines.
    Json,
}

/// What is told, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Which log lines are written, as a `tracing` filter.
    pub filter: String,
    /// How logs look.
    pub format: LogFormat,
    /// Address of an OpenTelemetry collector (OTLP over gRPC); none is the default.
    pub otlp_endpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            filter: "info,sqlx=warn,sea_orm=warn,hyper=warn,h2=warn".to_owned(),
            format: LogFormat::Text,
            otlp_endpoint: None,
        }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        if let Err(error) = EnvFilter::try_new(&self.filter) {
            problems.push(Problem::at(format!("{path}.filter"), error.to_string()));
        }
    }
}

/// Telemetry that could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("telemetry cannot be set up: {0}")]
pub struct SetupError(String);

/// Sends what is left when it is shut down.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

/// Parts of other people's that write addresses, headers or statements into their finest logs: with a filter that names
/// none of them they stay coarse, since a key or a token may be in those.
const TALKATIVE: [&str; 10] =
    ["h2", "hyper", "hyper_util", "lettre", "reqwest", "rustls", "sea_orm", "sqlx", "tonic", "tower"];

/// The filter as it was asked for, below what is said of talkative parts.
fn filter(wanted: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let coarse = TALKATIVE.map(|part| format!("{part}=info")).join(",");
    EnvFilter::try_new(format!("{coarse},{wanted}"))
}

/// Installs the process's subscriber, propagator and exporters.
pub fn install(config: &Config, service: &'static str) -> Result<Telemetry, SetupError> {
    let error = |cause: &dyn std::fmt::Display| SetupError(cause.to_string());
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let filter = filter(&config.filter).map_err(|cause| error(&cause))?;
    let logs = match config.format {
        LogFormat::Text => {
            tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer().with_writer(std::io::stderr).json().boxed(),
    };
    let registry = tracing_subscriber::registry().with(logs.with_filter(filter));
    let Some(endpoint) = &config.otlp_endpoint else {
        registry.try_init().map_err(|cause| error(&cause))?;
        return Ok(Telemetry::default());
    };

    let resource = Resource::builder().with_service_name(service).build();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(Duration::from_secs(5))
        .build()
        .map_err(|cause| error(&cause))?;
    let traces =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.clone()).build();
    let exporter = opentelemetry_otlp::MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(Duration::from_secs(5))
        .build()
        .map_err(|cause| error(&cause))?;
    let metrics =
        SdkMeterProvider::builder().with_periodic_exporter(exporter).with_resource(resource).build();
    opentelemetry::global::set_meter_provider(metrics.clone());
    let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer(service));
    registry.with(spans).try_init().map_err(|cause| error(&cause))?;
    Ok(Telemetry { traces: Some(traces), metrics: Some(metrics) })
}

impl Telemetry {
    /// Sends what is left. Blocks for the exporters' timeout at most; call it off the runtime.
    pub fn shutdown(self) {
        if let Some(traces) = self.traces {
            let _ = traces.shutdown();
        }
        if let Some(metrics) = self.metrics {
            let _ = metrics.shutdown();
        }
    }
}
