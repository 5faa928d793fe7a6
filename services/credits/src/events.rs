//! What credits listens to and publishes.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, relay};
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{CreditAwarded, Envelope, SourceVerified};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;

use crate::domain::Credits;
use crate::{Deps, Error};

pub(crate) fn tasks(deps: &Deps, credits: &Arc<Credits>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let listener = |group: &'static str, topics: &'static [Topic], handler: Arc<dyn Handler>| {
        let (consumer, bus) = (Consumer { group, topics, handler }, Arc::clone(&deps.bus));
        move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop)
    };
    // Two groups: a certificate that waits for its proof must not hold a retraction back.
    let surveillance = listener("credits", &[Topic::Source], Arc::new(Surveillance(Arc::clone(credits))));
    let printer = listener("certificates", &[Topic::Credit], Arc::new(Printer(Arc::clone(credits))));
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)),
        Task::new("surveillance", OnEnd::Restart, surveillance),
        Task::new("certificates", OnEnd::Restart, printer),
    ]
}

fn org_of(event: &Envelope) -> Result<OrgId, HandlerError> {
    event.org_id.parse().map_err(|_| HandlerError::Permanent("its org cannot be read".into()))
}

fn decoded<M: prost::Message + Default>(event: &Envelope) -> Result<M, HandlerError> {
    M::decode(event.payload.as_slice()).map_err(|error| HandlerError::Permanent(error.to_string()))
}

fn handled(outcome: Result<(), Error>) -> Result<(), HandlerError> {
    outcome.map_err(|error| {
        if error.is_transient() { HandlerError::Transient(error.to_string()) } else { HandlerError::Permanent(error.to_string()) }
    })
}

struct Surveillance(Arc<Credits>);

#[async_trait]
impl Handler for Surveillance {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "source.verified" {
            return Ok(());
        }
        let scope = Arc::new(Scope::of_system(SystemActor::Credits, org_of(event)?));
        handled(self.0.note_verdict(&scope, &event.id, &decoded::<SourceVerified>(event)?).await)
    }
}

struct Printer(Arc<Credits>);

#[async_trait]
impl Handler for Printer {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "credit.awarded" {
            return Ok(());
        }
        let awarded: CreditAwarded = decoded(event)?;
        handled(self.0.prepare_certificate(org_of(event)?, &awarded.credit_id).await)
    }
}
