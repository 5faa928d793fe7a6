//! Who may have which credential issued: the one rule, and the one way to what [`issue`](super::Accounts::issue) takes.
//!
//! The rule is: what the new credential can do, its maker can do. Rights are capabilities inside an org, held in every
//! program or in one, together with the person that is spoken for. There are two steps that make something new instead
//! of handing something on, and both are named here: an app admits learners in person, and a new org gets its first admin.

use preceptor_core::id::{CredentialId, OrgId, ProgramId};
use preceptor_core::{Capability, Role, Scope, Timestamp};

use super::kinds::Kind;
use super::tokens::Subject;
use crate::Error;

/// Who asks for a credential: what they are, and the credential they came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    pub(crate) org: OrgId,
    pub(crate) subject: String,
    pub(crate) role: Role,
    pub(crate) program: Option<ProgramId>,
    pub(crate) acting: Option<String>,
    /// What is made ends with it, and no later.
    pub(crate) with: Option<Parent>,
    /// Founds the org that the credential is for.
    founds: bool,
}

/// A credential that others are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) id: CredentialId,
    pub(crate) expires_at: Timestamp,
}

impl Maker {
    /// The subject of a call, with the credential behind it.
    pub(crate) fn of_scope(scope: &Scope, with: Option<Parent>) -> Self {
        Self {
            org: scope.org(),
            subject: scope.subject().to_owned(),
            role: scope.role(),
            program: scope.program(),
            acting: scope.acting().map(str::to_owned),
            with,
            founds: false,
        }
    }

    /// The holder of a credential that was presented.
    pub(crate) fn of_subject(subject: &Subject, with: Option<Parent>) -> Self {
        Self {
            org: subject.org,
            subject: subject.subject.clone(),
            role: subject.role,
            program: subject.program,
            acting: subject.acting.clone(),
            with,
            founds: false,
        }
    }

    /// The one who founds `org` in this very transaction, or lets its owner in again on the machine itself.
    pub(crate) fn founder(org: OrgId) -> Self {
        Self {
            org,
            subject: "founder".to_owned(),
            role: Role::System,
            program: None,
            acting: None,
            with: None,
            founds: true,
        }
    }

    /// Whether this maker hands `capability` on.
    fn hands_on(&self, capability: Capability) -> bool {
        match self.role {
            // An app asks nothing itself: it is there to let learners do so.
            Role::Service => matches!(capability, Capability::Learn | Capability::AdmitLearners),
            role => role.grants(capability),
        }
    }
}

/// Whom a new credential is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A person who joins the org with this credential.
    NewStaff {
        id: String,
        role: Role,
        epoch: i64,
    },
    /// Someone who is there already.
    Staff {
        id: String,
        role: Role,
        epoch: i64,
    },
    Learner {
        program: ProgramId,
        subject: String,
        acting: Option<String>,
    },
    /// An app, whose credential ends with the admin who made it.
    App {
        made_by: String,
        epoch: i64,
    },
    Operator,
}

impl Holder {
    pub(crate) const fn role(&self) -> Role {
        match self {
            Self::NewStaff { role, .. } | Self::Staff { role, .. } => *role,
            Self::Learner { .. } => Role::Learner,
            Self::App { .. } => Role::Service,
            Self::Operator => Role::System,
        }
    }
}

/// Into whose hands a secret goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It is the answer to the one who asked.
    Returned,
    /// It goes to the holder's own address.
    Mailed,
}

/// A credential that someone wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) holder: Holder,
    pub(crate) delivery: Delivery,
    pub(crate) name: String,
    pub(crate) ends: Timestamp,
}

/// Leave to issue one credential. Only [`may_mint`] makes one, and nothing is issued without it.
#[derive(Debug)]
pub(crate) struct Grant {
    org: OrgId,
    wanted: Wanted,
    parent: Option<Parent>,
}

impl Grant {
    pub(crate) const fn org(&self) -> OrgId {
        self.org
    }

    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(crate) const fn parent(&self) -> Option<&Parent> {
        self.parent.as_ref()
    }

    /// Its own end, or that of the credential it is made with if that comes first.
    pub(crate) fn ends(&self) -> Timestamp {
        self.parent.as_ref().map_or(self.wanted.ends, |parent| self.wanted.ends.min(parent.expires_at))
    }
}

/// Whether `maker` may have `wanted` issued.
pub(crate) fn may_mint(maker: &Maker, wanted: Wanted) -> Result<Grant, Error> {
    let allowed = maker.founds || (within_rights(maker, &wanted.holder) && speaks_for(maker, &wanted));
    // What can be learned by trying is that it is refused.
    if !allowed {
        return Err(Error::MintNotAllowed);
    }
    let own = matches!(&wanted.holder, Holder::Learner { .. }) || is_maker(maker, &wanted.holder);
    let parent = maker.with.clone().filter(|_| own);
    Ok(Grant { org: maker.org, wanted, parent })
}

/// Whether everything that the holder can do is handed on by the maker: capabilities, in the same programs.
fn within_rights(maker: &Maker, holder: &Holder) -> bool {
    let capabilities = Capability::ALL.into_iter().filter(|&capability| holder.role().grants(capability));
    let programs = match (maker.program, holder) {
        (None, _) => true,
        (Some(bound), Holder::Learner { program, .. }) => *program == bound,
        (Some(_), _) => false,
    };
    programs && capabilities.into_iter().all(|capability| maker.hands_on(capability))
}

fn is_maker(maker: &Maker, holder: &Holder) -> bool {
    match holder {
        Holder::Staff { id, .. } => *id == maker.subject && maker.acting.is_none(),
        Holder::Learner { program, subject, acting } => {
            *subject == maker.subject && maker.program == Some(*program) && *acting == maker.acting
        }
        Holder::NewStaff { .. } | Holder::App { .. } | Holder::Operator => false,
    }
}

/// Whether the maker may let this person be spoken for: themselves, someone who gets the secret into their own hands, or
/// someone whom no one can be taken for yet.
fn speaks_for(maker: &Maker, wanted: &Wanted) -> bool {
    if is_maker(maker, &wanted.holder) {
        return true;
    }
    let administers = maker.role.grants(Capability::Administer) && maker.acting.is_none();
    match &wanted.holder {
        Holder::NewStaff { .. } => administers,
        Holder::App { made_by, .. } => administers && *made_by == maker.subject,
        Holder::Staff { .. } => administers && wanted.delivery == Delivery::Mailed,
        // In person: by the app whose learner it is. Anyone else only as themselves.
        Holder::Learner { acting: None, .. } => maker.role == Role::Service,
        Holder::Learner { acting: Some(acting), .. } => {
            *acting == maker.subject && maker.acting.is_none() && Role::STAFF.contains(&maker.role)
        }
        Holder::Operator => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn maker(role: Role, subject: &str) -> Maker {
        Maker {
            org: OrgId::generate(),
            subject: subject.into(),
            role,
            program: None,
            acting: None,
            with: None,
            founds: false,
        }
    }

    fn wanted(holder: Holder, delivery: Delivery) -> Wanted {
        Wanted { kind: Kind::Api, holder, delivery, name: String::new(), ends: NOW }
    }

    fn staff(id: &str, role: Role) -> Holder {
        Holder::Staff { id: id.into(), role, epoch: 1 }
    }

    fn learner(program: ProgramId, acting: Option<&str>) -> Holder {
        Holder::Learner { program, subject: "learner_1".into(), acting: acting.map(str::to_owned) }
    }

    /// What a role can do, said once more and apart from the rule.
    fn rights(role: Role) -> Vec<Capability> {
        Capability::ALL.into_iter().filter(|&capability| role.grants(capability)).collect()
    }

    #[test]
    fn no_one_reaches_more_than_they_hold() {
        for maker_role in Role::ALL {
            for role in Role::STAFF {
                for delivery in [Delivery::Returned, Delivery::Mailed] {
                    let new = Holder::NewStaff { id: "staff_new".into(), role, epoch: 1 };
                    for holder in [new, staff("staff_other", role), staff("staff_me", role)] {
                        let granted =
                            may_mint(&maker(maker_role, "staff_me"), wanted(holder.clone(), delivery))
                                .is_ok();
                        let held = rights(maker_role);
                        assert!(
                            !granted || rights(role).iter().all(|right| held.contains(right)),
                            "{maker_role} made {holder:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn only_an_admin_lets_others_be_spoken_for_and_never_gets_their_secret() {
        for role in Role::ALL {
            for other in Role::STAFF {
                assert!(
                    may_mint(
                        &maker(role, "staff_me"),
                        wanted(staff("staff_other", other), Delivery::Returned)
                    )
                    .is_err(),
                    "{role}"
                );
                let mailed =
                    may_mint(&maker(role, "staff_me"), wanted(staff("staff_other", other), Delivery::Mailed));
                assert_eq!(mailed.is_ok(), role == Role::Admin, "{role} for {other}");
            }
        }
        for role in Role::STAFF {
            assert!(
                may_mint(&maker(role, "staff_me"), wanted(staff("staff_me", role), Delivery::Returned))
                    .is_ok(),
                "{role} for themselves"
            );
        }
    }

    #[test]
    fn a_learner_in_person_is_admitted_by_an_app_alone() {
        let program = ProgramId::generate();
        for role in Role::ALL {
            let in_person =
                may_mint(&maker(role, "staff_me"), wanted(learner(program, None), Delivery::Returned));
            assert_eq!(in_person.is_ok(), role == Role::Service, "{role}");
            let as_another = may_mint(
                &maker(role, "staff_me"),
                wanted(learner(program, Some("staff_other")), Delivery::Returned),
            );
            assert!(as_another.is_err(), "{role}");
            let acting = may_mint(
                &maker(role, "staff_me"),
                wanted(learner(program, Some("staff_me")), Delivery::Returned),
            );
            assert_eq!(acting.is_ok(), matches!(role, Role::Admin | Role::Editor | Role::Reviewer), "{role}");
        }
    }

    #[test]
    fn a_learner_stays_in_their_program_and_who_acts_keeps_acting() {
        let (own, other) = (ProgramId::generate(), ProgramId::generate());
        let holder = |acting: Option<&str>| Maker {
            program: Some(own),
            acting: acting.map(str::to_owned),
            ..maker(Role::Learner, "learner_1")
        };
        assert!(may_mint(&holder(None), wanted(learner(own, None), Delivery::Returned)).is_ok());
        assert!(may_mint(&holder(None), wanted(learner(other, None), Delivery::Returned)).is_err());
        assert!(may_mint(&holder(Some("staff_e")), wanted(learner(own, None), Delivery::Returned)).is_err());
        assert!(
            may_mint(&holder(Some("staff_e")), wanted(learner(own, Some("staff_e")), Delivery::Returned))
                .is_ok()
        );
    }

    #[test]
    fn what_is_made_ends_with_what_it_was_made_with() {
        let parent = Parent { id: CredentialId::generate(), expires_at: Timestamp::from_micros(10) };
        let maker = Maker { with: Some(parent.clone()), ..maker(Role::Editor, "staff_me") };
        let grant =
            may_mint(&maker, wanted(staff("staff_me", Role::Editor), Delivery::Returned)).expect("their own");
        assert_eq!((grant.ends(), grant.parent()), (Timestamp::from_micros(10), Some(&parent)));
    }

    #[test]
    fn an_app_is_made_by_an_admin_in_their_own_name() {
        for role in Role::ALL {
            for made_by in ["staff_me", "staff_other"] {
                let app = Holder::App { made_by: made_by.into(), epoch: 1 };
                let made = may_mint(&maker(role, "staff_me"), wanted(app, Delivery::Returned));
                assert_eq!(made.is_ok(), role == Role::Admin && made_by == "staff_me", "{role} as {made_by}");
            }
        }
    }

    #[test]
    fn the_operator_is_made_by_the_machine_alone() {
        for role in Role::ALL {
            assert!(
                may_mint(&maker(role, "operator"), wanted(Holder::Operator, Delivery::Returned)).is_err(),
                "{role}"
            );
        }
    }
}
