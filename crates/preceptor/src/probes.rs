//! What the readiness of a process is told from: whether its databases answer, whether the services in other processes do.

use std::time::Duration;

use preceptor_rpc::health::{Reporter, check};
use preceptor_rpc::{Channel, ServiceName};
use preceptor_runtime::health::State;
use preceptor_runtime::{Health, Module, Stop};
use preceptor_store::{Handle, OutboxSeals};

/// How often everything is looked at.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the databases may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the databases.
pub(crate) fn store(handle: Handle) -> Module {
    Module::new("store", &[], move |context| async move {
        let (health, stop) = (context.health, context.tasks.stop_signal());
        context.tasks.spawn_once("probe", async move {
            loop {
                let state = match tokio::time::timeout(PATIENCE, handle.known_orgs()).await {
                    Ok(Ok(_)) => State::Ready,
                    Ok(Err(error)) => State::Down(error.to_string()),
                    Err(_) => State::Down("the database does not answer".to_owned()),
                };
                health.set("store", state);
                if !stop.sleep(PAUSE).await {
                    return;
                }
            }
        });
        Ok(())
    })
}

/// Looks whether all outboxes are sent on.
pub(crate) fn outboxes(seals: OutboxSeals) -> Module {
    Module::new("outboxes", &[], move |context| async move {
        let (health, stop) = (context.health, context.tasks.stop_signal());
        context.tasks.spawn_once("probe", async move {
            let mut known = 0;
            loop {
                let stopped = seals.stopped();
                if stopped != known {
                    health.set("outboxes", state_of(stopped));
                    known = stopped;
                }
                if !stop.sleep(PAUSE).await {
                    return;
                }
            }
        });
        Ok(())
    })
}

fn state_of(stopped: usize) -> State {
    if stopped == 0 {
        return State::Ready;
    }
    State::Degraded(format!(
        "events of {stopped} outboxes wait, because one was changed outside the product; see the process's own log"
    ))
}

/// Looks at the services in other processes that the gateway cannot do without.
pub(crate) fn peers(peers: Vec<(ServiceName, Channel)>) -> Module {
    Module::new("peers", &[], move |context| async move {
        for (service, channel) in peers {
            let (health, stop) = (context.health.clone(), context.tasks.stop_signal());
            health.set(service.name(), State::Starting);
            context.tasks.spawn_once("probe", watch(service, channel, health, stop));
        }
        Ok(())
    })
}

async fn watch(service: ServiceName, channel: Channel, health: Health, stop: Stop) {
    loop {
        let state = match check(service, channel.clone()).await {
            Ok(()) => State::Ready,
            Err(what) => State::Down(format!("{service} {what}")),
        };
        health.set(service.name(), state);
        if !stop.sleep(PAUSE).await {
            return;
        }
    }
}

/// Tells probes of a service that it does not serve while a part of its process is down.
pub(crate) async fn report(reporter: Reporter, health: Health, stop: Stop) {
    loop {
        reporter.set(!health.has_failed()).await;
        if !stop.sleep(PAUSE).await {
            reporter.set(false).await;
            return;
        }
    }
}
