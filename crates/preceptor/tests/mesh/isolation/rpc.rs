//! Every RPC that the descriptors hold.

use std::str::FromStr as _;
use std::time::Duration;

use preceptor::client::Client;
use preceptor_proto::DESCRIPTORS;
use preceptor_proto::auth::v1::auth_client::AuthClient;
use preceptor_proto::auth::v1::{Door, ExchangeRequest, MintSystemTokenRequest};
use preceptor_rpc::call::unscoped;
use preceptor_rpc::{Policies, ServiceName};
use preceptor_testkit::{Local, Store};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, Value};
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

use super::{Victim, world};

preceptor_testkit::on_both_stores! {
    no_rpc_shows_a_stranger_anything_and_every_rpc_serves_its_owner
}

const PATIENCE: Duration = Duration::from_secs(10);

/// Messages as bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(buffer);
        Ok(Some(bytes::Buf::copy_to_bytes(buffer, length).to_vec()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// A request that names the victim wherever it can name something.
fn request(kind: &MessageDescriptor, victim: &Victim) -> DynamicMessage {
    let mut message = DynamicMessage::new(kind.clone());
    for field in kind.fields() {
        let value = match (field.name(), field.kind()) {
            ("org_id", _) => Some(&victim.earned.org),
            ("program_id", _) => Some(&victim.program),
            ("source_id", _) => Some(&victim.source),
            ("source_version_id", _) => Some(&victim.source_version),
            ("program_version_id", _) => Some(&victim.program_version),
            ("message_id" | "message_ids", _) => Some(&victim.message),
            ("passage_ids", _) => Some(&victim.passage),
            ("source_version_ids", _) => Some(&victim.source_version),
            ("item_id" | "item_ids", _) => Some(&victim.earned.item),
            ("attempt_id", _) => Some(&victim.earned.attempt),
            ("offer_id", _) => Some(&victim.earned.offer),
            ("credit_id", _) => Some(&victim.earned.credit),
            ("task_id", _) => Some(&victim.earned.task),
            ("generation_id", _) => Some(&victim.earned.generation),
            ("call_id", _) => Some(&victim.earned.registry_call),
            ("contest_id", _) => Some(&victim.earned.contest),
            ("accreditation_id", _) => Some(&victim.earned.accreditation),
            ("objects", _) => Some(&victim.earned.credit),
            ("event_id", _) => Some(&victim.earned.event),
            ("learner" | "learners", Kind::String) => Some(&victim.earned.learner),
            (_, Kind::Message(inner)) if field.name() == "header" => {
                message.set_field(&field, Value::Message(request(&inner, victim)));
                None
            }
            _ => None,
        };
        let value = value.map(|id| Value::String(id.clone()));
        match (field.name(), value) {
            (_, Some(id)) if field.is_list() => message.set_field(&field, Value::List(vec![id])),
            (_, Some(id)) => message.set_field(&field, id),
            ("question", _) => {
                message.set_field(&field, Value::String("What is the usual starting dose?".into()));
            }
            ("limit", _) => message.set_field(&field, Value::I32(50)),
            ("page", _) => message.set_field(&field, Value::I32(1)),
            ("reason", _) => message.set_field(&field, Value::String("r".into())),
            _ => {}
        }
    }
    message
}

/// Calls a method and returns everything that came back.
async fn call(
    local: &Local,
    method: &MethodDescriptor,
    caller: ServiceName,
    token: &str,
    victim: &Victim,
) -> Result<Vec<u8>, Status> {
    let service = method.parent_service();
    let peer = ServiceName::from_str(service.package_name().split('.').nth(1).expect("a package"))
        .expect("a service");
    let path = format!("/{}/{}", service.full_name(), method.name()).parse().expect("a path");
    let mut grpc = tonic::client::Grpc::new(local.mesh.channel(peer, caller).expect("a channel"));
    grpc.ready().await.map_err(|_| Status::unavailable("not ready"))?;
    let message = request(&method.input(), victim).encode_to_vec();
    let mut request = Request::new(futures::stream::iter([message]));
    request.set_timeout(PATIENCE);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    let mut answers = grpc.streaming(request, path, Raw).await?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await? {
        all.extend(answer);
    }
    Ok(all)
}

fn sees(answer: &Result<Vec<u8>, Status>, victim: &Victim) -> bool {
    let canary = victim.canary.as_bytes();
    match answer {
        Ok(bytes) => bytes.windows(canary.len()).any(|window| window == canary),
        Err(status) => status.message().contains(&victim.canary),
    }
}

/// The scope token of a credential.
async fn scope_token(local: &Local, client: &Client) -> String {
    let auth = local.mesh.channel(ServiceName::Auth, ServiceName::Gateway).expect("a channel");
    let request = unscoped(
        ExchangeRequest { credential: client.token().to_owned(), door: Door::Header.into() },
        PATIENCE,
    );
    AuthClient::new(auth).exchange(request).await.expect("a token").into_inner().scope_token
}

/// The token of a service that acts inside an org on its own behalf, for services that may have one.
async fn system_token(local: &Local, org: &str, service: ServiceName) -> Option<String> {
    let auth = local.mesh.channel(ServiceName::Auth, service).expect("a channel");
    let request = unscoped(MintSystemTokenRequest { org_id: org.to_owned() }, PATIENCE);
    Some(AuthClient::new(auth).mint_system_token(request).await.ok()?.into_inner().scope_token)
}

async fn orgs(local: &Local) -> Vec<String> {
    let listed = local.operator.get("/v1/orgs").await.expect("orgs");
    crate::support::list(&listed, "data")
        .iter()
        .map(|org| org["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn no_rpc_shows_a_stranger_anything_and_every_rpc_serves_its_owner(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (a, b) = world(&local).await;
    let orgs = orgs(&local).await;
    assert_eq!(orgs.len(), 2);
    let policies = Policies::of_contracts().expect("policies");
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("descriptors");
    let own_admin = scope_token(&local, &a.admin).await;
    let own_learner = scope_token(&local, &a.learner).await;
    let (b_admin, b_learner) = (scope_token(&local, &b.admin).await, scope_token(&local, &b.learner).await);
    // The org of the victims is the one whose system can read them.
    let mut methods = 0;
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let policy = policies.get(&path).expect("a policy");
        if policy.unscoped {
            continue;
        }
        methods += 1;
        for caller in &policy.callers {
            let mut systems = Vec::new();
            if *caller != ServiceName::Gateway {
                for org in &orgs {
                    systems.extend(system_token(&local, org, *caller).await);
                }
            }
            for victim in &a.programs {
                for stranger in [&b_admin, &b_learner] {
                    assert!(
                        !sees(&call(&local, &method, *caller, stranger, victim).await, victim),
                        "{path}: a stranger sees {}",
                        victim.canary
                    );
                }
            }
            for victim in &a.programs[1..] {
                assert!(
                    !sees(&call(&local, &method, *caller, &own_learner, victim).await, victim),
                    "{path}: a learner sees {}",
                    victim.canary
                );
            }
            // Of the systems of both orgs, each sees its own org's victims and not the other's.
            for victim in a.programs.iter().chain(&b.programs) {
                let mut seen = 0;
                for system in &systems {
                    seen += usize::from(sees(&call(&local, &method, *caller, system, victim).await, victim));
                }
                assert!(seen <= 1, "{path}: two orgs see {}", victim.canary);
            }
        }
        let reads = policy.idempotent && path != "/preceptor.answering.v1.Answering/LeaveFeedback";
        if reads {
            control(&local, &method, &policy.callers, [&own_admin, &own_learner], &orgs, &a.programs[0])
                .await;
        }
    }
    assert!(methods > 60, "{methods} methods were tried");
    local.stop().await;
}

/// Whether a call got as far as what it asked for: one that finds it in the wrong state did.
fn is_served(outcome: &Result<Vec<u8>, Status>) -> bool {
    use tonic::Code as C;
    outcome
        .as_ref()
        .map_or_else(|status| matches!(status.code(), C::FailedPrecondition | C::InvalidArgument), |_| true)
}

/// The owner, or its org's system where the contract is for services, gets what strangers did not.
async fn control(
    local: &Local,
    method: &MethodDescriptor,
    callers: &[ServiceName],
    people: [&String; 2],
    orgs: &[String],
    victim: &Victim,
) {
    let mut tokens: Vec<_> = people.iter().map(|token| (callers[0], (*token).clone())).collect();
    for caller in callers.iter().filter(|caller| **caller != ServiceName::Gateway) {
        for org in orgs {
            tokens.extend(system_token(local, org, *caller).await.map(|token| (*caller, token)));
        }
    }
    // The operator's own methods, and pictures of a document that has none.
    let exempt = ["ListOrgs", "GetPagePicture"];
    let mut outcomes = Vec::new();
    for (caller, token) in tokens {
        outcomes.push(call(local, method, caller, &token, victim).await);
    }
    assert!(
        exempt.contains(&method.name()) || outcomes.iter().any(is_served),
        "{}: nobody is served: {outcomes:?}",
        method.full_name()
    );
}
