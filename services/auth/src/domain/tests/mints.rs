//! No RPC that makes a secret gives anyone more than they hold.

use std::collections::BTreeSet;

use preceptor_core::id::ProgramId;
use preceptor_core::{Capability, Role, Scope};
use preceptor_proto::DESCRIPTORS;
use preceptor_rpc::Policies;
use prost_reflect::{DescriptorPool, Kind as Field};

use super::World;
use crate::domain::{Door, Link, NewMember};

/// The RPCs that make a secret, each tried below but `CreateOrg`, by which the operator founds an org that no one has
/// rights in yet, and `InviteStaff`, whose secret its caller never has in hands. `Exchange` and `MintSystemToken` sign what someone proved already.
const MINTING: [&str; 8] = [
    "CreateApiToken",
    "CreateOrg",
    "CreateServiceCredential",
    "CreateStaff",
    "InviteStaff",
    "IssueLearnerToken",
    "IssueSignInLink",
    "OpenSession",
];
/// Answers with a secret in them; an invitation is mailed.
const SECRETS: [&str; 4] = ["secret", "token", "session", "admin_token"];

#[test]
fn every_rpc_that_makes_a_secret_is_known_here() {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("descriptors");
    let auth = pool.get_service_by_name("preceptor.auth.v1.Auth").expect("the service");
    let mut making: Vec<String> = auth
        .methods()
        .filter(|method| {
            let gives = method
                .output()
                .fields()
                .any(|field| SECRETS.contains(&field.name()) && field.kind() == Field::String);
            gives || method.name() == "InviteStaff"
        })
        .map(|method| method.name().to_owned())
        .collect();
    making.sort();
    assert_eq!(making, MINTING, "a new RPC that makes a secret is tried below");
}

fn may_call(scope: &Scope, method: &str) -> bool {
    let policies = Policies::of_contracts().expect("policies");
    policies.get(&format!("/preceptor.auth.v1.Auth/{method}")).expect("a policy").check_scope(scope).is_ok()
}

/// Every secret that a caller gets into their own hands by any RPC, with the RPC.
async fn everything_made_by(
    world: &World,
    scope: &Scope,
    token: &str,
    others: &[String],
) -> Vec<(&'static str, String)> {
    let accounts = &world.accounts;
    let mut made = Vec::new();
    if may_call(scope, "CreateStaff") {
        for role in Role::ALL {
            let new = NewMember { name: "New", role, email: "" };
            made.extend(
                accounts.create_staff(scope, new).await.ok().map(|(_, issued)| ("CreateStaff", issued)),
            );
        }
    }
    if may_call(scope, "CreateServiceCredential") {
        made.extend(
            accounts
                .create_service_credential(scope, "x", None, token)
                .await
                .ok()
                .map(|issued| ("CreateServiceCredential", issued)),
        );
    }
    if may_call(scope, "CreateApiToken") {
        made.extend(
            accounts
                .create_api_token(scope, "x", None, token)
                .await
                .ok()
                .map(|issued| ("CreateApiToken", issued)),
        );
    }
    if may_call(scope, "IssueLearnerToken") {
        let issued = accounts.issue_learner_token(scope, ProgramId::generate(), "rosa", None).await;
        made.extend(issued.ok().map(|issued| ("IssueLearnerToken", issued)));
    }
    if may_call(scope, "IssueSignInLink") {
        for target in others {
            if let Ok(Link::Returned(issued)) = accounts.issue_staff_link(scope, target, token).await {
                made.push(("IssueSignInLink", *issued));
            }
        }
        made.extend(
            accounts.issue_learner_link(scope, token).await.ok().map(|issued| ("IssueSignInLink", issued)),
        );
    }
    made.extend(accounts.open_session(token, "").await.ok().map(|(issued, _)| ("OpenSession", issued)));
    made.into_iter().map(|(method, issued)| (method, issued.secret.expose().to_owned())).collect()
}

/// What a secret opens, by whichever door takes it.
async fn opened(world: &World, secret: &str) -> Option<Scope> {
    for door in [Door::Header, Door::Cookie] {
        if let Ok(scope) = world.at(secret, door).await {
            return Some(scope);
        }
    }
    let session = world.session(secret).await.ok()?;
    world.at(&session, Door::Cookie).await.ok()
}

fn rights(scope: &Scope) -> BTreeSet<Capability> {
    Capability::ALL.into_iter().filter(|&capability| scope.grants(capability)).collect()
}

#[tokio::test]
async fn no_one_gets_a_secret_that_can_do_more_than_they_can() {
    let world = World::new().await;
    let admin = world.admin().await.subject().to_owned();
    let (mut staff, mut tokens) =
        (vec![admin], vec![world.admin.clone(), world.operator.clone(), world.app().await]);
    for role in Role::STAFF {
        let (id, token) = world.hire(role).await;
        staff.push(id);
        tokens.push(token);
    }
    let app = tokens[2].clone();
    tokens.push(world.learner(&app, None).await);
    let mut tried = 0;
    for token in &tokens {
        let caller = world.scope(token).await;
        for (method, secret) in everything_made_by(&world, &caller, token, &staff).await {
            let reached = opened(&world, &secret)
                .await
                .unwrap_or_else(|| panic!("{method} made a secret that opens nothing"));
            tried += 1;
            let case = format!("{} by {method} became {}", caller.role(), reached.role());
            assert_eq!(reached.org(), caller.org(), "{case}");
            // An app's right to admit is there to be handed on as a learner's right to learn, in person.
            let admits = caller.role() == Role::Service && reached.role() == Role::Learner;
            assert!(admits || rights(&reached).is_subset(&rights(&caller)), "{case}");
            let same = reached.subject() == caller.subject();
            let new = method == "CreateStaff" || method == "CreateServiceCredential";
            let acts = reached.acting() == Some(caller.subject());
            assert!(same || new || acts || admits, "{case}: it speaks for {}", reached.subject());
            assert!(same || reached.role() != Role::Learner || admits || acts, "{case}");
            assert!(caller.program().is_none() || reached.program() == caller.program(), "{case}");
        }
    }
    assert!(tried > 20, "{tried} secrets were made");
}

#[tokio::test]
async fn what_staff_make_acts_under_a_name_of_its_own_and_goes_on_acting() {
    let world = World::new().await;
    let program = ProgramId::generate();
    let app = world.scope(&world.app().await).await;
    let rosa = world.accounts.issue_learner_token(&app, program, "rosa", None).await.expect("a learner");
    assert_eq!(world.scope(rosa.secret.expose()).await.acting(), None);
    let (editor, token) = world.hire(Role::Editor).await;
    let acting = world
        .accounts
        .issue_learner_token(&world.scope(&token).await, program, "rosa", None)
        .await
        .expect("a token");
    assert_ne!(acting.subject, rosa.subject, "it meets no row of the learner");
    let acting = acting.secret.expose();
    let session = world.learner_session(acting).await.expect("a session");
    for scope in [world.scope(acting).await, world.at(&session, Door::Cookie).await.expect("live")] {
        assert_eq!(scope.acting(), Some(editor.as_str()));
        assert_eq!(scope.program(), Some(program));
        let policies = Policies::of_contracts().expect("policies");
        let mut refused = 0;
        for (path, policy) in policies.iter().filter(|(_, policy)| policy.in_person) {
            let fault = policy.check_scope(&scope).expect_err(path);
            assert_eq!(fault.reason, "ACTING_NOT_ALLOWED", "{path}");
            refused += 1;
        }
        assert!(refused > 15, "{refused} RPCs belong to a learner alone");
    }
}

#[tokio::test]
async fn a_learner_s_link_is_made_with_their_own_token_alone() {
    let world = World::new().await;
    let app = world.app().await;
    let learner = world.learner(&app, None).await;
    let session = world.learner_session(&learner).await.expect("a session");
    let scope = world.scope(&app).await;
    for wrong in [&session, &app, &world.admin, &"pk_learner_x".to_owned()] {
        assert!(world.accounts.issue_learner_link(&scope, wrong).await.is_err());
    }
    let foreign = world.accounts.create_org("Other", "Admin").await.expect("an org").2;
    let foreign = world.scope(foreign.secret.expose()).await;
    assert!(world.accounts.issue_learner_link(&foreign, &learner).await.is_err(), "a learner of another org");
}
