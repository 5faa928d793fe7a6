//! What each route needs, so that it is known before a byte of a body is read.
//!
//! An operation is named after the RPC that does it, and the RPC's policy says who may. So the table is read out of the
//! OpenAPI document and the contracts; only what is named differently, and the forms of the pages, stand here.

use std::collections::{HashMap, HashSet};

use axum::http::Method;
use preceptor_core::Fault;
use preceptor_core::Scope;
use preceptor_rpc::Policies;
use preceptor_rpc::policy::Policy;
use serde_json::Value;

/// Operations that are named differently from their RPCs. Without an RPC where what is sent decides which one it is.
const OTHERWISE: [(&str, &str); 9] = [
    ("createCredential", ""),
    ("decideContestedIdentity", "DecideContest"),
    ("designateProgram", "Designate"),
    ("evaluateProgram", "Evaluate"),
    ("freezeQuiz", "FreezeForm"),
    ("reinstateStaff", "SetStaffState"),
    ("removeStaff", "SetStaffState"),
    ("rotateSigningKeys", "RotateKeys"),
    ("suspendStaff", "SetStaffState"),
];

/// The forms of pages, with the RPC that each leads to; without one where anyone who is known may.
pub(crate) const FORMS: [(&str, &str); 32] = [
    ("/sign-out", ""),
    ("/programs/{id}", "Ask"),
    ("/programs/{id}/quiz", "StartAttempt"),
    ("/programs/{id}/evaluation", "Evaluate"),
    ("/attempts/{id}", "SaveAnswer"),
    ("/attempts/{id}/claim", "ClaimCredit"),
    ("/me/clinician", "StateClinician"),
    ("/me/clinician/code", "SendEmailCode"),
    ("/me/clinician/confirm", "ConfirmEmail"),
    ("/console", "CreateProgram"),
    ("/console/programs/{id}/objectives", "SetObjectives"),
    ("/console/programs/{id}/sources", "UploadSource"),
    ("/console/programs/{id}/publish", "PublishProgram"),
    ("/console/programs/{id}/withdraw", "WithdrawProgram"),
    ("/console/programs/{id}/items", "GenerateItems"),
    ("/console/programs/{id}/quiz", "FreezeForm"),
    ("/console/items/{id}/decision", "DecideItem"),
    ("/console/sources/{id}/verification", "VerifySource"),
    ("/console/tasks/{id}/close", "CloseTask"),
    ("/console/generations/{id}/cancel", "CancelGeneration"),
    ("/console/sources/{id}/cancel-reading", "CancelReading"),
    ("/console/sources/{id}/submit", "SubmitSource"),
    ("/console/sources/{id}/decision", "DecideSource"),
    ("/attempts/{id}/feedback", "ShowFeedback"),
    ("/console/programs/{id}/offers", "Designate"),
    ("/console/contested-identities/{id}/decision", "DecideContest"),
    ("/console/certificates", "SetCertificateSettings"),
    ("/console/staff", "InviteStaff"),
    ("/console/staff/{id}", ""),
    ("/console/staff/{id}/link", "IssueSignInLink"),
    ("/console/credentials", ""),
    ("/console/credentials/{id}/revoke", "RevokeCredential"),
];

/// Writes that need no credential: they are how one comes by one.
pub(crate) const OPEN: [&str; 2] = ["/sign-in", "/sign-in/who"];

/// What every write needs, by method and route.
#[derive(Debug)]
pub(crate) struct Permissions {
    needed: HashMap<(Method, String), (String, Policy)>,
    /// Every write that there is.
    writes: HashSet<(Method, String)>,
}

impl Permissions {
    /// Reads the table.
    pub(crate) fn read(document: &Value, policies: &Policies) -> Self {
        let by_name: HashMap<&str, (&str, &Policy)> = policies
            .iter()
            .filter_map(|(path, policy)| Some((path.rsplit('/').next()?, (path, policy))))
            .collect();
        let (mut needed, mut all) = (HashMap::new(), HashSet::new());
        let mut needs = |method: Method, path: &str, rpc: &str| {
            all.insert((method.clone(), path.to_owned()));
            match by_name.get(rpc) {
                Some((rpc, policy)) => {
                    needed.insert((method, path.to_owned()), ((*rpc).to_owned(), (*policy).clone()));
                }
                // Anyone who is known may send it, in the bounds of every body; the RPC itself refuses whom it has to.
                None if !rpc.is_empty() => tracing::warn!(path, rpc, "a route is not named after an RPC"),
                None => {}
            }
        };
        for (method, path, operation) in writes(document) {
            let other =
                OTHERWISE.iter().find(|(name, _)| *name == operation).map(|(_, rpc)| (*rpc).to_owned());
            needs(method, &path, &other.unwrap_or_else(|| capitalized(&operation)));
        }
        for (path, rpc) in FORMS {
            needs(Method::POST, path, rpc);
        }
        Self { needed, writes: all }
    }

    /// Whether there is such a write. What no route takes is refused by the router, no matter who asks.
    pub(crate) fn takes(&self, method: &Method, route: &str) -> bool {
        self.writes.contains(&(method.clone(), route.to_owned()))
    }

    /// Refuses a subject that may not do what a route does; with the RPC that would refuse it too.
    pub(crate) fn check(&self, method: &Method, route: &str, scope: &Scope) -> Result<(), (Fault, &str)> {
        match self.needed.get(&(method.clone(), route.to_owned())) {
            Some((rpc, policy)) if !policy.unscoped => {
                policy.check_scope(scope).map_err(|fault| (fault, rpc.as_str()))
            }
            _ => Ok(()),
        }
    }
}

/// Every operation of the document that changes something: method, path, operation id.
fn writes(document: &Value) -> Vec<(Method, String, String)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let method = method.to_uppercase().parse().unwrap_or(Method::GET);
            if let (false, Some(id)) =
                (matches!(method, Method::GET | Method::HEAD), operation["operationId"].as_str())
            {
                found.push((method, path.clone(), id.to_owned()));
            }
        }
    }
    found
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_write_has_a_permission() {
        let document = crate::api::openapi();
        let permissions = Permissions::read(&document, &Policies::of_contracts().expect("contracts"));
        let all = writes(&document);
        assert!(all.len() > 30);
        for (method, path, operation) in all {
            let any = OTHERWISE.iter().any(|(name, rpc)| *name == operation && rpc.is_empty());
            assert!(
                any || permissions.needed.contains_key(&(method, path.clone())),
                "{operation} at {path} is not named after an RPC; add it to OTHERWISE"
            );
        }
    }

    #[test]
    fn every_form_of_the_pages_has_a_permission() {
        let document = crate::api::openapi();
        let permissions = Permissions::read(&document, &Policies::of_contracts().expect("contracts"));
        let routes = include_str!("pages/mod.rs").split(".route(").skip(1);
        let mut forms = 0;
        for route in routes {
            let route = route.split("\n        .").next().unwrap_or_default();
            let Some(path) = route.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            if !route.contains("post(") || OPEN.contains(&path) {
                continue;
            }
            forms += 1;
            let (_, rpc) = FORMS
                .iter()
                .find(|(form, _)| *form == path)
                .unwrap_or_else(|| panic!("{path} is not in FORMS"));
            assert!(
                rpc.is_empty() || permissions.needed.contains_key(&(Method::POST, path.to_owned())),
                "{path}: there is no RPC {rpc}"
            );
        }
        assert!(forms >= FORMS.len(), "every entry of FORMS is a form");
    }
}
