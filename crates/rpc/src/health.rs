//! Whether a service works, asked and told by the protocol that ordinary probes speak (`grpc.health.v1`).

use std::collections::BTreeMap;
use std::time::Duration;

use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::FileDescriptorSet;
use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Told;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::server::Error;

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
pub async fn with_health(service: ServiceName, routes: Routes) -> Result<(Routes, Reporter), Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_file_descriptor_set(contract_files(&contract_of(service))?)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(contract_of(service))
        .with_service_name("grpc.health.v1.Health")
        .build_v1()?;
    let (inner, health) = tonic_health::server::health_reporter();
    let reporter = Reporter { inner, service };
    reporter.set(true).await;
    Ok((routes.add_service(reflection).add_service(health), reporter))
}

/// The file of a contract and those that it imports. Of what is imported, messages only: what other services do is not
/// said, whatever a builder lists.
fn contract_files(contract: &str) -> Result<FileDescriptorSet, Error> {
    let pool = DescriptorPool::decode(preceptor_proto::DESCRIPTORS)
        .map_err(|error| Error::InvalidFileDescriptorSet(error.to_string()))?;
    let own = pool.get_service_by_name(contract);
    let own = own.ok_or_else(|| Error::InvalidFileDescriptorSet(format!("there is no {contract}")))?;
    let own = own.parent_file();
    let mut files = BTreeMap::from([(own.name().to_owned(), own.file_descriptor_proto().clone())]);
    let mut imported: Vec<_> = own.dependencies().collect();
    while let Some(file) = imported.pop() {
        if files.contains_key(file.name()) {
            continue;
        }
        let mut messages = file.file_descriptor_proto().clone();
        messages.service.clear();
        imported.extend(file.dependencies());
        files.insert(file.name().to_owned(), messages);
    }
    Ok(FileDescriptorSet { file: files.into_values().collect() })
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
    use prost_reflect::prost::Message as _;
    use prost_reflect::prost_types::FileDescriptorProto;
    use tonic::Code;
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    use super::*;
    use crate::Policies;

    /// What the reflection of a service says to one question.
    async fn reflected(channel: &Channel, asked: MessageRequest) -> Result<MessageResponse, Code> {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(asked) };
        let mut client = ServerReflectionClient::new(channel.clone());
        let answers = client.server_reflection_info(futures::stream::iter([request])).await;
        let mut answers = answers.map_err(|status| status.code())?.into_inner();
        let answer = answers.message().await.map_err(|status| status.code())?.expect("an answer");
        Ok(answer.message_response.expect("an answer of some kind"))
    }

    #[tokio::test]
    async fn reflection_tells_of_its_own_service_and_of_no_other() {
        let (routes, _) =
            with_health(ServiceName::Answering, Routes::default()).await.expect("a contract of its own");
        let channel = Channel::local(routes.prepare().into_axum_router(), ServiceName::Gateway);
        let listed = reflected(&channel, MessageRequest::ListServices(String::new())).await;
        let Ok(MessageResponse::ListServicesResponse(listed)) = listed else { panic!("{listed:?}") };
        let names: Vec<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["preceptor.answering.v1.Answering", "grpc.health.v1.Health"]);

        let file_of = async |symbol: &str| {
            let told = reflected(&channel, MessageRequest::FileContainingSymbol(symbol.to_owned())).await?;
            let MessageResponse::FileDescriptorResponse(told) = told else { panic!("{told:?}") };
            let file = told.file_descriptor_proto.first().expect("a file");
            Ok::<_, Code>(FileDescriptorProto::decode(file.as_slice()).expect("a descriptor"))
        };
        let own = file_of("preceptor.answering.v1.Answering.Ask").await.expect("its own method");
        assert_eq!(own.service.len(), 1);
        // Answers cite passages, whose messages are in the contract of another service.
        let imported = file_of("preceptor.ingestion.v1.Locator").await.expect("a message that it sends");
        assert!(imported.service.is_empty(), "{:?}", imported.service);
        for other in [
            "preceptor.ingestion.v1.Ingestion",
            "preceptor.auth.v1.Auth",
            "preceptor.auth.v1.ExchangeRequest",
        ] {
            assert_eq!(file_of(other).await.err(), Some(Code::NotFound), "{other}");
        }
    }

    #[test]
    fn every_service_but_the_gateway_has_a_contract_of_its_name() {
        let policies = Policies::of_contracts().expect("contracts");
        for service in ServiceName::ALL.iter().filter(|service| **service != ServiceName::Gateway) {
            let prefix = format!("/{}/", contract_of(*service));
            assert!(policies.iter().any(|(path, _)| path.starts_with(&prefix)), "{prefix}");
        }
    }
}
