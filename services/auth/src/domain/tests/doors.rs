//! Doors, generations and ends.

use std::time::Duration;

use preceptor_core::{Clock as _, Role};

use super::{DAY, World, refused};
use crate::Error;
use crate::domain::kinds::Kind;
use crate::domain::{Door, Link};

/// One secret of every kind.
async fn one_of_each(world: &World) -> Vec<(Kind, String)> {
    let app = world.app().await;
    let learner = world.learner(&app, None).await;
    let admin = world.admin().await;
    let Link::Returned(link) =
        world.accounts.issue_staff_link(&admin, admin.subject(), "").await.expect("a link")
    else {
        panic!("one's own link is returned")
    };
    let session = world.session(&world.admin).await.expect("a session");
    vec![
        (Kind::Api, world.admin.clone()),
        (Kind::Session, session),
        (Kind::Link, link.secret.expose().to_owned()),
        (Kind::Learner, learner),
        (Kind::Service, app),
        (Kind::Operator, world.operator.clone()),
    ]
}

#[tokio::test]
async fn every_secret_opens_its_own_door_and_no_other() {
    let world = World::new().await;
    for (kind, secret) in one_of_each(&world).await {
        for door in Door::ALL {
            assert_eq!(
                world.accounts.live(&secret, door).await.is_ok(),
                door.takes(kind),
                "{kind:?} at {door:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_secret_under_another_kind_s_name_opens_nothing() {
    let world = World::new().await;
    for (kind, secret) in one_of_each(&world).await {
        let rest = secret.strip_prefix(&format!("pk_{}_", kind.name())).expect("a prefix");
        for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
            for door in Door::ALL {
                assert!(
                    refused(world.accounts.live(&format!("pk_{}_{rest}", other.name()), door).await),
                    "{kind:?} as {other:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_looking_at_it_does_not_use_it_up() {
    let world = World::new().await;
    let links = one_of_each(&world).await;
    let (_, link) = links.iter().find(|(kind, _)| *kind == Kind::Link).expect("a link");
    for _ in 0..3 {
        assert_eq!(world.accounts.peek(link).await.expect("a person").0.display_name, "Admin");
    }
    let (first, second) = tokio::join!(world.session(link), world.session(link));
    assert_ne!(first.is_ok(), second.is_ok(), "one of two at once signs in");
    assert!(refused(world.session(link).await));
    assert!(refused(world.accounts.peek(link).await.map(drop)));
}

#[tokio::test]
async fn what_is_made_with_a_credential_ends_with_it_in_every_generation() {
    let world = World::new().await;
    let app = world.app().await;
    let learner = world.learner(&app, Some(Duration::from_secs(3))).await;
    let session = world.learner_session(&learner).await.expect("a session");
    world.at(&session, Door::Cookie).await.expect("both live");
    world.advance(Duration::from_secs(4));
    assert!(refused(world.at(&learner, Door::Header).await));
    assert!(
        refused(world.at(&session, Door::Cookie).await),
        "a session outlives the token of three seconds behind it"
    );

    let learner = world.learner(&app, None).await;
    let session = world.learner_session(&learner).await.expect("a session");
    world.at(&session, Door::Cookie).await.expect("a live session");
    let admin = world.admin().await;
    let listed = world.accounts.list_credentials(&admin, "", 50, "").await.expect("credentials").0;
    let app = listed
        .iter()
        .find(|listed| listed.row.kind == "service")
        .expect("the app's")
        .row
        .id
        .parse()
        .expect("an id");
    world.accounts.revoke_credential(&admin, app).await.expect("revoked");
    for (secret, door) in [(&learner, Door::Header), (&session, Door::Cookie)] {
        assert!(
            refused(world.at(secret, door).await),
            "a revocation reaches everything that was made with it"
        );
    }
}

#[tokio::test]
async fn a_session_is_not_renewed_by_itself() {
    let world = World::new().await;
    let session = world.session(&world.admin).await.expect("a session");
    assert!(refused(world.session(&session).await));
    // By a link for oneself another browser can be signed in, and no longer than the first one.
    let scope = world.at(&session, Door::Cookie).await.expect("live");
    world.advance(Duration::from_secs(600));
    let Link::Returned(link) =
        world.accounts.issue_staff_link(&scope, scope.subject(), "").await.expect("a link")
    else {
        panic!("one's own link is returned")
    };
    let (second, _) = world.accounts.open_session(link.secret.expose(), "").await.expect("a session");
    assert!(second.expires_at.since(world.clock.now()) < Duration::from_secs(12 * 3600 - 500));
    let second = second.secret.expose().to_owned();
    let scope = world.at(&second, Door::Cookie).await.expect("live");
    let step_up = world.accounts.create_service_credential(&scope, "x", None, "").await;
    assert!(
        matches!(step_up, Err(Error::ConfirmationNeeded)),
        "a session out of a session proves nothing new"
    );
    world.accounts.end_session(&session).await.expect("signed out");
    assert!(refused(world.at(&second, Door::Cookie).await));
}

#[tokio::test]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let world = World::new().await;
    let (_, editor) = world.hire(Role::Editor).await;
    let first = world.session(&editor).await.expect("a session");
    let other = world.session(&editor).await.expect("another browser");
    let (second, _) = world.accounts.open_session(&world.admin, &first).await.expect("a session");
    assert!(refused(world.at(&first, Door::Cookie).await), "someone else signed in at that browser");
    world.at(&other, Door::Cookie).await.expect("another browser goes on");
    let second = second.secret.expose().to_owned();

    // What ended, what is no session, and what the new session lives by change nothing.
    for nothing in [&first, &world.admin, &"x".to_owned()] {
        world.accounts.open_session(&world.admin, nothing).await.expect("a session");
    }
    let scope = world.at(&second, Door::Cookie).await.expect("live");
    let Link::Returned(link) =
        world.accounts.issue_staff_link(&scope, scope.subject(), "").await.expect("a link")
    else {
        panic!("one's own link is returned")
    };
    let (third, _) = world.accounts.open_session(link.secret.expose(), &second).await.expect("a session");
    world.at(third.secret.expose(), Door::Cookie).await.expect("made with the second, which goes on");
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_ends_after_twelve_hours() {
    let world = World::new().await;
    let idle = world.session(&world.admin).await.expect("a session");
    let used = world.session(&world.admin).await.expect("a session");
    world.advance(Duration::from_secs(14 * 60));
    world.at(&used, Door::Cookie).await.expect("used in time");
    world.advance(Duration::from_secs(2 * 60));
    assert!(refused(world.at(&idle, Door::Cookie).await), "idle for sixteen minutes");
    for _ in 0..(12 * 60 - 16) / 10 - 1 {
        world.advance(Duration::from_secs(600));
        world.at(&used, Door::Cookie).await.expect("used every ten minutes");
    }
    // Not idle for as long as sessions may be, and over all the same.
    world.advance(Duration::from_secs(14 * 60 + 30));
    assert!(refused(world.at(&used, Door::Cookie).await), "twelve hours are the end");
}

#[tokio::test]
async fn every_credential_has_an_end() {
    let world = World::new().await;
    let (_, editor) = world.hire(Role::Editor).await;
    let app = world.app().await;
    world.advance(89 * DAY);
    world.advance(Duration::from_secs(24 * 3600 - 1));
    for secret in [&world.admin, &world.operator, &editor, &app] {
        world.at(secret, Door::Header).await.expect("live to the last second");
    }
    world.advance(Duration::from_secs(2));
    for secret in [&world.admin, &world.operator, &editor] {
        assert!(refused(world.at(secret, Door::Header).await));
    }
    world.advance(90 * DAY);
    assert!(refused(world.at(&app, Door::Header).await));
    // Anyone who has the machine gets in again.
    let operator = world.accounts.renew_operator().await.expect("a new token");
    let scope = world.at(operator.secret.expose(), Door::Header).await.expect("live");
    assert!(!World::org(&scope).is_tenant());
    let org = world.accounts.list_orgs().await.expect("orgs")[0].id.parse().expect("an id");
    let (_, admin) = world.accounts.let_admin_in(org).await.expect("a token");
    assert_eq!(world.scope(admin.secret.expose()).await.role(), Role::Admin);
}

#[tokio::test]
async fn an_api_token_outlives_no_token_it_was_made_with() {
    let world = World::new().await;
    world.advance(89 * DAY);
    let admin = world.admin().await;
    let second =
        world.accounts.create_api_token(&admin, "second", None, &world.admin).await.expect("a token");
    assert!(second.expires_at.since(world.clock.now()) <= DAY);
    let session = world.session(&world.admin).await.expect("a session");
    let scope = world.at(&session, Door::Cookie).await.expect("live");
    let third =
        world.accounts.create_api_token(&scope, "third", None, "").await.expect("signed in a moment ago");
    assert!(third.expires_at.since(world.clock.now()) <= DAY);
}
