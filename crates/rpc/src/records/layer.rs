//! The layer itself: it stands between the policy of callers and the scope, so that it sees what either refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use preceptor_core::{Fault, Kind, Role, Scope, SystemActor};
use tonic::{Code, Status};

use super::ledger::{REFUSED, platform};
use super::note::Noted;
use super::{Entry, Ledger, Note, Records};
use crate::caller::{CallerIdentity, ServiceName};
use crate::policy::Policy;
use crate::server::Shared;
use crate::status::{fault_of, status_of};

/// Subjects that one entry names; of more it says how many there were.
const MOST_NAMED: usize = 200;
/// The prefix of a gRPC message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A call whose outcome is put on record.
struct Recorded<'a> {
    ledger: &'a Ledger,
    path: &'a str,
    records: Records,
    noted: Noted,
}

/// Puts on record what the contract of a method asks for.
pub(crate) async fn records(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let records = request.extensions().get::<Policy>().map(|policy| policy.records);
    // What services ask each other on someone's behalf is part of what that person asked of the first.
    let is_first =
        request.extensions().get::<CallerIdentity>() == Some(&CallerIdentity(ServiceName::Gateway));
    let (Some(records), true) = (records, is_first) else { return next.run(request).await };
    let path = request.uri().path().to_owned();
    let note = Note::default();
    request.extensions_mut().insert(note.clone());
    let response = next.run(request).await;
    let recorded = Recorded { ledger: &shared.ledger, path: &path, records, noted: note.noted() };
    match Status::from_header_map(response.headers()).filter(|status| status.code() != Code::Ok) {
        Some(status) => {
            recorded.failed(&status).await;
            response
        }
        None => recorded.answered(&shared, response).await,
    }
}

impl Recorded<'_> {
    fn entry(&self, scope: &Arc<Scope>, action: &'static str) -> Entry {
        let facts = self.noted.facts.iter().cloned().chain([("role", scope.role().to_string())]).collect();
        Entry {
            scope: Arc::clone(scope),
            action,
            object: self.path.trim_start_matches('/').to_owned(),
            refused: None,
            facts,
        }
    }

    /// Who acted. What no one of a tenant did is the deployment's.
    fn scope(&self) -> Arc<Scope> {
        self.noted
            .scope
            .clone()
            .unwrap_or_else(|| Arc::new(Scope::of_system(SystemActor::Gateway, platform())))
    }

    /// Refusals, and credentials that did not open anything.
    async fn failed(&self, status: &Status) {
        if !matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated) {
            return;
        }
        let action = if self.records == Records::SignIn { self.records.action() } else { REFUSED };
        let entry = Entry {
            refused: Some(fault_of(status).reason.into_owned()),
            ..self.entry(&self.scope(), action)
        };
        if let Err(error) = self.ledger.count(entry).await {
            tracing::error!(%error, rpc.path = self.path, "a refusal is not on record");
        }
    }

    /// What was done, before its answer goes out.
    async fn answered(&self, shared: &Shared, response: Response) -> Response {
        match self.records {
            Records::None => response,
            Records::SignIn | Records::SignOut | Records::Credential => {
                let entry = self.entry(&self.scope(), self.records.action());
                self.unless_unrecorded(self.ledger.put(entry).await, response)
            }
            Records::ReadPersonal => self.read(shared, response).await,
        }
    }

    /// A read of personal data. A learner is shown nothing but their own; of anyone else it is looked at.
    async fn read(&self, shared: &Shared, response: Response) -> Response {
        let scope = self.scope();
        if scope.role() == Role::Learner {
            return response;
        }
        let (response, subjects) = if shared.subjects.is_single(self.path) {
            match whole(response).await {
                Ok((response, message)) => (response, shared.subjects.of(self.path, &message)),
                Err(failed) => return failed,
            }
        } else {
            (response, Some(BTreeSet::new()))
        };
        let Some(subjects) = subjects else {
            tracing::error!(
                rpc.path = self.path,
                "an answer with personal data cannot be read by its contract"
            );
            return status_of(&Fault::internal()).into_http();
        };
        if !subjects.is_empty() && subjects.iter().all(|subject| subject == scope.subject()) {
            return response;
        }
        let mut entry = self.entry(&scope, self.records.action());
        entry.facts.push(("count", subjects.len().to_string()));
        entry.facts.push(("subjects", subjects.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join(" ")));
        // A visitor is no one, and may come as often as they like.
        let is_visitor = scope.role() == Role::System;
        let outcome = if is_visitor { self.ledger.count(entry).await } else { self.ledger.put(entry).await };
        self.unless_unrecorded(outcome, response)
    }

    fn unless_unrecorded(&self, outcome: Result<(), super::Unrecorded>, response: Response) -> Response {
        let Err(error) = outcome else { return response };
        tracing::error!(%error, rpc.path = self.path, "an answer is held back, because it could not be put on record");
        let why = "this has to be put on record first, which was not possible; try again in a moment";
        status_of(&Fault::new(Kind::Unavailable, "RECORD_UNAVAILABLE", why)).into_http()
    }
}

/// Takes in the answer of a unary call: the same answer, and its message. An answer that breaks off is a failure.
async fn whole(response: Response) -> Result<(Response, Bytes), Response> {
    let (parts, mut body) = response.into_parts();
    let (mut frames, mut content) = (Vec::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(status_of(&Fault::internal()).into_http()) };
        if let Some(data) = frame.data_ref() {
            content.extend_from_slice(data);
        }
        frames.push(Ok::<Frame<Bytes>, axum::Error>(frame));
    }
    let message = Bytes::from(content.split_off(PREFIX.min(content.len())));
    Ok((Response::from_parts(parts, axum::body::Body::new(StreamBody::new(stream::iter(frames)))), message))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use preceptor_core::SystemClock;
    use preceptor_core::id::OrgId;
    use tower::ServiceExt as _;

    use super::*;
    use crate::records::{Recorder, Unrecorded};
    use crate::{Policies, Server, SharedVerifier};

    #[derive(Debug, Default)]
    struct Kept {
        entries: Mutex<Vec<Entry>>,
        is_broken: bool,
    }

    #[async_trait]
    impl Recorder for Kept {
        async fn record(&self, entries: Vec<Entry>) -> Result<(), Unrecorded> {
            if self.is_broken {
                return Err(Unrecorded("no disk".into()));
            }
            self.entries.lock().expect("a lock").extend(entries);
            Ok(())
        }
    }

    /// One clinician of an encoded answer: field 1 of the list, and the learner in field 1 of that.
    fn answer(learner: &str) -> Vec<u8> {
        let inner = [&[0x0a, learner.len() as u8], learner.as_bytes()].concat();
        let message = [&[0x0a, inner.len() as u8], inner.as_slice()].concat();
        [&[0, 0, 0, 0, message.len() as u8], message.as_slice()].concat()
    }

    /// Calls a method whose handler answers with `status` or a list of one clinician.
    async fn call(kept: &Arc<Kept>, path: &'static str, status: Option<Status>) -> Response {
        let policies = Policies::of_contracts().expect("contracts");
        let policy = policies.get(path).expect("a method").clone();
        let server = Server::new(
            policies,
            SharedVerifier::pending(Arc::new(SystemClock)),
            Arc::new(SystemClock),
            None,
        );
        let shared = server
            .shared(ServiceName::Credentials, Ledger::new(Arc::clone(kept) as _, Arc::new(SystemClock)));
        let scope = Arc::new(Scope::of_system(SystemActor::Analytics, OrgId::generate()));
        let handler = move |request: Request| async move {
            request.extensions().get::<Note>().expect("a note").acting(scope);
            let answered = || Response::new(axum::body::Body::from(answer("learner_1")));
            status.map_or_else(answered, Status::into_http)
        };
        let routes = Router::new().route(path, post(handler)).layer(from_fn_with_state(shared, records));
        let mut request = Request::post(path).body(axum::body::Body::empty()).expect("a request");
        request.extensions_mut().insert(policy);
        request.extensions_mut().insert(CallerIdentity(ServiceName::Gateway));
        routes.oneshot(request).await.expect("an answer")
    }

    const LIST: &str = "/preceptor.credentials.v1.Credentials/ListClinicians";

    #[tokio::test]
    async fn an_answer_goes_out_whole_once_it_is_on_record_whose_data_it_holds() {
        let kept = Arc::new(Kept::default());
        let answered = call(&kept, LIST, None).await;
        let body = answered.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(body, answer("learner_1"));
        let entries = kept.entries.lock().expect("a lock");
        assert_eq!(
            (entries.len(), entries[0].action, entries[0].object.as_str()),
            (1, "personal_data.read", &LIST[1..])
        );
        assert!(entries[0].facts.contains(&("subjects", "learner_1".to_owned())), "{entries:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_put_on_record_is_not_shown() {
        let kept = Arc::new(Kept { is_broken: true, ..Kept::default() });
        for path in [LIST, "/preceptor.auth.v1.Auth/CreateStaff", "/preceptor.auth.v1.Auth/OpenSession"] {
            let refused = call(&kept, path, None).await;
            let status = Status::from_header_map(refused.headers()).expect("a status");
            assert_eq!(fault_of(&status).reason, "RECORD_UNAVAILABLE", "{path}");
            assert!(refused.into_body().collect().await.expect("a body").to_bytes().is_empty(), "{path}");
        }
    }

    #[tokio::test]
    async fn a_refusal_stays_one_whether_or_not_it_is_on_record_and_a_failure_is_none() {
        for is_broken in [false, true] {
            let kept = Arc::new(Kept { is_broken, ..Kept::default() });
            let refusal = status_of(&Fault::new(Kind::Forbidden, "NO", "no"));
            let refused = call(&kept, "/preceptor.auth.v1.Auth/ListOrgs", Some(refusal)).await;
            assert_eq!(
                Status::from_header_map(refused.headers()).map(|status| status.code()),
                Some(Code::PermissionDenied)
            );
            call(&kept, LIST, Some(Status::not_found("nothing"))).await;
            let entries = kept.entries.lock().expect("a lock");
            assert_eq!(
                entries.iter().map(|entry| (entry.action, entry.refused.as_deref())).collect::<Vec<_>>(),
                [(REFUSED, Some("NO"))][usize::from(is_broken)..]
            );
        }
    }
}
