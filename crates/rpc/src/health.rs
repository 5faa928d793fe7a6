//! Whether a service works, asked and told by the protocol that ordinary probes speak (`grpc.health.v1`).

use std::time::Duration;

use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Told;
use tonic_health::pb::health_client::HealthClient;

use crate::caller::ServiceName;
use crate::channel::Channel;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells how a service is.
#[derive(Clone)]
pub struct Reporter {
    inner: tonic_health::server::HealthReporter,
    service: ServiceName,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Reporter {
    /// Says whether the service serves, under its own name and under the empty one.
    pub async fn set(&self, serves: bool) {
        let status = if serves {
            tonic_health::ServingStatus::Serving
        } else {
            tonic_health::ServingStatus::NotServing
        };
        self.inner.set_service_status(contract_of(self.service), status).await;
        self.inner.set_service_status("", status).await;
    }
}

/// Adds health and reflection to the routes of a service. Both know that service and themselves, and no other: a port
/// does not speak of what it does not serve.
pub async fn with_health(
    service: ServiceName,
    routes: Routes,
) -> Result<(Routes, Reporter), tonic_reflection::server::Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(preceptor_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(contract_of(service))
        .with_service_name("grpc.health.v1.Health")
        .build_v1()?;
    let (inner, health) = tonic_health::server::health_reporter();
    let reporter = Reporter { inner, service };
    reporter.set(true).await;
    Ok((routes.add_service(reflection).add_service(health), reporter))
}

/// Asks a service whether it serves; what stands in its way otherwise.
pub async fn check(service: ServiceName, channel: Channel) -> Result<(), String> {
    let request = HealthCheckRequest { service: contract_of(service) };
    let mut client = HealthClient::new(channel);
    match tokio::time::timeout(PATIENCE, client.check(request)).await {
        Ok(Ok(answer)) if answer.get_ref().status() == Told::Serving => Ok(()),
        Ok(Ok(_)) => Err("says that it does not serve".to_owned()),
        Ok(Err(status)) => Err(format!("is not reachable: {}", status.message())),
        Err(_) => Err("does not answer".to_owned()),
    }
}

/// The full name of a service's contract: `preceptor.auth.v1.Auth`.
fn contract_of(service: ServiceName) -> String {
    let name = service.name();
    let (first, rest) = name.split_at(1);
    format!("preceptor.{name}.v1.{}{rest}", first.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policies;

    #[test]
    fn every_service_but_the_gateway_has_a_contract_of_its_name() {
        let policies = Policies::of_contracts().expect("contracts");
        for service in ServiceName::ALL.iter().filter(|service| **service != ServiceName::Gateway) {
            let prefix = format!("/{}/", contract_of(*service));
            assert!(policies.iter().any(|(path, _)| path.starts_with(&prefix)), "{prefix}");
        }
    }
}
