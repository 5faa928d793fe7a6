//! Staff come, change and go.

use std::time::Duration;

use preceptor_core::{Role, Scope};

use super::{DAY, World, refused};
use crate::Error;
use crate::domain::{Door, Link, NewMember, State};

/// What takes an admin's rights, each in its own way.
#[derive(Debug, Clone, Copy)]
enum Departure {
    Removed,
    Suspended,
    AnotherRole,
    Revoked,
}

impl Departure {
    const ALL: [Self; 4] = [Self::Removed, Self::Suspended, Self::AnotherRole, Self::Revoked];

    async fn happen(self, world: &World, admin: &Scope, id: &str) {
        let accounts = &world.accounts;
        match self {
            Self::Removed => accounts.set_staff_state(admin, id, State::Removed, "left").await.map(drop),
            Self::Suspended => accounts.set_staff_state(admin, id, State::Suspended, "leave").await.map(drop),
            Self::AnotherRole => accounts.change_staff(admin, id, None, Some(Role::Editor)).await.map(drop),
            Self::Revoked => accounts.revoke_staff_credentials(admin, id).await,
        }
        .expect("it happens");
    }
}

#[tokio::test]
async fn the_credential_of_an_app_ends_with_the_admin_who_made_it() {
    for departure in Departure::ALL {
        let world = World::new().await;
        let admin = world.admin().await;
        let (second, token) = world.hire(Role::Admin).await;
        let scope = world.scope(&token).await;
        let made = world.accounts.create_service_credential(&scope, "App", None, &token).await;
        let made = made.expect("a credential");
        let app = made.secret.expose().to_owned();
        let learner = world.learner(&app, None).await;
        let session = world.learner_session(&learner).await.expect("a session");
        let others = world.app().await;

        departure.happen(&world, &admin, &second).await;
        for (secret, door) in [(&app, Door::Header), (&learner, Door::Header), (&session, Door::Cookie)] {
            assert!(refused(world.at(secret, door).await), "{departure:?} at {door:?}");
        }
        let listed = world.accounts.list_credentials(&admin, &second, 50, "").await.expect("a list").0;
        let row = listed.iter().find(|listed| listed.row.id == made.row.id).expect("it is listed as theirs");
        assert!(!row.live && row.row.kind == "service", "{departure:?}");
        world.at(&others, Door::Header).await.expect("one that another admin made goes on");
    }
}

#[tokio::test]
async fn the_credential_of_an_app_names_its_maker_and_does_not_speak_for_them() {
    let world = World::new().await;
    let admin = world.admin().await;
    let app = world.app().await;
    let scope = world.scope(&app).await;
    assert_eq!(scope.role(), Role::Service);
    assert_ne!(scope.subject(), admin.subject());
    assert!(refused(world.session(&app).await), "an app signs nobody in");
    let confirmed = world.accounts.create_api_token(&admin, "x", None, &app).await;
    assert!(matches!(confirmed, Err(Error::ConfirmationNeeded)), "{confirmed:?}");
    let listed = world.accounts.list_credentials(&admin, "", 50, "").await.expect("a list").0;
    let row = listed.iter().find(|listed| listed.row.kind == "service").expect("the app's");
    assert!(row.live && row.row.made_by.as_deref() == Some(admin.subject()));
    assert_eq!(row.row.subject, row.row.id);
}

#[tokio::test]
async fn nothing_of_a_suspended_member_opens_and_nothing_comes_back() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (editor, token) = world.hire(Role::Editor).await;
    let session = world.session(&token).await.expect("a session");
    let acting = world.scope(&token).await;
    let acting = world
        .accounts
        .issue_learner_token(&acting, preceptor_core::id::ProgramId::generate(), "x", None)
        .await
        .expect("a token");
    world.accounts.set_staff_state(&admin, &editor, State::Suspended, "leave").await.expect("suspended");
    for (secret, door) in
        [(token.as_str(), Door::Header), (&session, Door::Cookie), (acting.secret.expose(), Door::Header)]
    {
        assert!(refused(world.at(secret, door).await), "{door:?}");
    }
    assert!(refused(world.session(&token).await));
    world.accounts.set_staff_state(&admin, &editor, State::Active, "back").await.expect("reinstated");
    assert!(refused(world.at(&token, Door::Header).await));
    // A link by mail lets them in again.
    let link = world.accounts.issue_staff_link(&admin, &editor, &world.admin).await.expect("a link");
    assert!(matches!(link, Link::Mailed(_)));
    let mailed = world.mail.secret("editor@example.org").expect("a mail");
    world.session(&mailed).await.expect("signed in");
    world.accounts.set_staff_state(&admin, &editor, State::Removed, "left").await.expect("removed");
    assert!(matches!(
        world.accounts.set_staff_state(&admin, &editor, State::Active, "").await,
        Err(Error::StaffWrongState)
    ));
}

#[tokio::test]
async fn another_role_ends_what_was_issued_before() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (editor, token) = world.hire(Role::Editor).await;
    world.accounts.change_staff(&admin, &editor, Some("Another Name"), None).await.expect("another name");
    world.at(&token, Door::Header).await.expect("a name changes nothing");
    world.accounts.change_staff(&admin, &editor, None, Some(Role::Analyst)).await.expect("another role");
    assert!(refused(world.at(&token, Door::Header).await));
}

#[tokio::test]
async fn an_org_keeps_an_active_admin() {
    let world = World::new().await;
    let admin = world.admin().await;
    let own = admin.subject().to_owned();
    let last = |outcome: Result<_, Error>| matches!(outcome, Err(Error::LastAdmin));
    assert!(last(world.accounts.set_staff_state(&admin, &own, State::Suspended, "").await));
    assert!(last(world.accounts.set_staff_state(&admin, &own, State::Removed, "").await));
    assert!(last(world.accounts.change_staff(&admin, &own, None, Some(Role::Editor)).await));
    let (second, _) = world.hire(Role::Admin).await;
    let (first_out, second_out) = tokio::join!(
        world.accounts.set_staff_state(&admin, &own, State::Suspended, ""),
        world.accounts.set_staff_state(&admin, &second, State::Suspended, ""),
    );
    assert!(first_out.is_ok() != second_out.is_ok(), "of two at once one stays");
}

#[tokio::test]
async fn an_invitation_works_once_within_a_week() {
    let world = World::new().await;
    let admin = world.admin().await;
    let new = NewMember { name: "Rita", role: Role::Reviewer, email: "rita@example.org" };
    let row = world.accounts.invite(&admin, new).await.expect("invited");
    assert_eq!(row.state, "invited");
    let link = world.mail.secret("rita@example.org").expect("a mail");
    assert!(refused(world.at(&link, Door::Header).await));
    world.advance(6 * DAY);
    let session = world.session(&link).await.expect("signed in");
    let scope = world.at(&session, Door::Cookie).await.expect("a member");
    assert_eq!((scope.role(), scope.subject()), (Role::Reviewer, row.id.as_str()));
    assert!(refused(world.session(&link).await));
    // A token of their own, without anyone else's help.
    let token =
        world.accounts.create_api_token(&scope, "mine", None, "").await.expect("signed in a moment ago");
    assert_eq!(world.scope(token.secret.expose()).await.role(), Role::Reviewer);

    let late = NewMember { email: "late@example.org", ..new };
    world.accounts.invite(&world.scope(&world.admin).await, late).await.expect("invited");
    world.advance(8 * DAY);
    assert!(refused(world.session(&world.mail.secret("late@example.org").expect("a mail")).await));
}

#[tokio::test]
async fn no_one_is_added_when_the_invitation_is_not_delivered() {
    let world = World::new().await;
    let admin = world.admin().await;
    let new = NewMember { name: "Nobody", role: Role::Editor, email: "nobody@example.org" };
    assert!(matches!(world.accounts.invite(&admin, new).await, Err(Error::Mail(_))));
    assert_eq!(world.accounts.list_staff(&admin).await.expect("staff").len(), 1);
    for email in ["", "no address", "a@example.org, b@example.org"] {
        assert!(
            matches!(
                world.accounts.invite(&admin, NewMember { email, ..new }).await,
                Err(Error::InvalidField { .. })
            ),
            "{email}"
        );
    }
}

#[tokio::test]
async fn a_link_for_another_needs_an_admin_who_is_there_and_never_comes_back_to_them() {
    let world = World::new().await;
    let (reviewer, _) = world.hire(Role::Reviewer).await;
    let (_, editor) = world.hire(Role::Editor).await;
    let scope = world.scope(&editor).await;
    let admin = world.admin().await;
    for target in [admin.subject(), &reviewer] {
        let outcome = world.accounts.issue_staff_link(&scope, target, &editor).await;
        assert!(matches!(outcome, Err(Error::MintNotAllowed)), "{outcome:?}");
    }
    for confirm in ["", "pk_api_wrong", &editor] {
        let outcome = world.accounts.issue_staff_link(&admin, &reviewer, confirm).await;
        assert!(matches!(outcome, Err(Error::ConfirmationNeeded)), "{confirm}: {outcome:?}");
    }
    let session = world.session(&world.admin).await.expect("a session");
    let fresh = world.at(&session, Door::Cookie).await.expect("live");
    assert!(matches!(world.accounts.issue_staff_link(&fresh, &reviewer, "").await, Ok(Link::Mailed(_))));
    world.advance(Duration::from_secs(6 * 60));
    let stale = world.at(&session, Door::Cookie).await.expect("live");
    assert!(matches!(
        world.accounts.issue_staff_link(&stale, &reviewer, "").await,
        Err(Error::ConfirmationNeeded)
    ));
    assert!(matches!(
        world.accounts.issue_staff_link(&stale, &reviewer, &world.admin).await,
        Ok(Link::Mailed(_))
    ));
    let link = world.mail.secret("reviewer@example.org").expect("it went to the reviewer");
    world.session(&link).await.expect("signed in");
    // A person without an address cannot be let in by someone else at all.
    let new = NewMember { name: "No Address", role: Role::Editor, email: "" };
    let (member, _) = world.accounts.create_staff(&admin, new).await.expect("a member");
    let outcome = world.accounts.issue_staff_link(&stale, &member.id, &world.admin).await;
    assert!(matches!(outcome, Err(Error::StaffWithoutAddress)), "{outcome:?}");
}

#[tokio::test]
async fn an_old_session_brings_no_one_in_and_gives_no_one_another_role() {
    let world = World::new().await;
    let (editor, _) = world.hire(Role::Editor).await;
    let session = world.session(&world.admin).await.expect("a session");
    let fresh = world.at(&session, Door::Cookie).await.expect("live");
    let new = NewMember { name: "New", role: Role::Admin, email: "new@example.org" };
    world.accounts.create_staff(&fresh, new).await.expect("signed in a moment ago");
    world.advance(Duration::from_secs(6 * 60));
    let stale = world.at(&session, Door::Cookie).await.expect("live");
    let asked = |outcome: Result<(), Error>| matches!(outcome, Err(Error::ConfirmationNeeded));
    assert!(asked(world.accounts.create_staff(&stale, new).await.map(drop)));
    assert!(asked(world.accounts.invite(&stale, new).await.map(drop)));
    let raised = world.accounts.change_staff(&stale, &editor, None, Some(Role::Admin)).await;
    assert!(asked(raised.map(drop)));
    // The same role with another name gives no one access.
    let renamed =
        world.accounts.change_staff(&stale, &editor, Some("Another Name"), Some(Role::Editor)).await;
    assert_eq!(renamed.expect("a name").role, "editor");
    assert_eq!(world.accounts.list_staff(&stale).await.expect("staff").len(), 3);
    // An API token is presented with every call.
    world.accounts.create_staff(&world.admin().await, new).await.expect("a member");
}

#[tokio::test]
async fn everyone_sees_and_ends_their_own_credentials_and_an_admin_those_of_all() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (editor, token) = world.hire(Role::Editor).await;
    let (reviewer, _) = world.hire(Role::Reviewer).await;
    let scope = world.scope(&token).await;
    let own = world.accounts.list_credentials(&scope, "", 50, "").await.expect("credentials").0;
    assert!(own.len() == 1 && own[0].row.staff_id.as_deref() == Some(&editor) && own[0].live);
    assert!(world.accounts.list_credentials(&scope, &reviewer, 50, "").await.is_err());
    let of_reviewer =
        world.accounts.list_credentials(&admin, &reviewer, 50, "").await.expect("credentials").0;
    let id = of_reviewer[0].row.id.parse().expect("an id");
    assert!(matches!(world.accounts.revoke_credential(&scope, id).await, Err(Error::CredentialNotFound)));
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let (page, next) = world.accounts.list_credentials(&admin, "", 1, &after).await.expect("a page");
        pages.extend(page);
        if next.is_empty() {
            break;
        }
        after = next;
    }
    assert_eq!(pages.len(), 3);
    world.accounts.revoke_staff_credentials(&admin, &editor).await.expect("revoked");
    assert!(refused(world.at(&token, Door::Header).await));
}

#[tokio::test]
async fn an_admin_finds_the_credentials_of_a_learner_and_ends_them() {
    let world = World::new().await;
    let admin = world.admin().await;
    let token = world.learner(&world.app().await, None).await;
    let session = world.learner_session(&token).await.expect("a session");
    let learner = world.scope(&token).await.subject().to_owned();
    let list = async |scope: &Scope, learner: &str| {
        world.accounts.list_learner_credentials(scope, learner, 50, "").await.map(|(listed, _)| listed)
    };
    let listed = list(&admin, &learner).await.expect("credentials");
    let live: Vec<&str> =
        listed.iter().filter(|listed| listed.live).map(|listed| listed.row.kind.as_str()).collect();
    assert_eq!(live, ["session", "learner"], "newest first; the link was used up");
    assert!(list(&admin, "lrn_someone").await.expect("credentials").is_empty());
    let (_, editor) = world.hire(Role::Editor).await;
    assert!(list(&world.scope(&editor).await, &learner).await.is_err(), "for admins");
    let id = listed.iter().find(|listed| listed.row.kind == "learner").expect("the token").row.id.clone();
    world.accounts.revoke_credential(&admin, id.parse().expect("an id")).await.expect("it ends");
    assert!(refused(world.at(&token, Door::Header).await));
    assert!(refused(world.at(&session, Door::Cookie).await), "and the session with it");
}
