//! Kinds of credentials, and the doors that take them.

use preceptor_proto::auth::v1 as proto;

use crate::Error;

/// A credential's kind, and with it the prefix of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A member of staff, at the API.
    Api,
    /// A browser that someone signed in with.
    Session,
    /// Signs a person in, once.
    Link,
    /// A learner in one program.
    Learner,
    /// An app that admits its learners.
    Service,
    /// The operator of the deployment.
    Operator,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Api, Self::Session, Self::Link, Self::Learner, Self::Service, Self::Operator];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Session => "session",
            Self::Link => "link",
            Self::Learner => "learner",
            Self::Service => "service",
            Self::Operator => "operator",
        }
    }

    /// The kind that a secret says it is of.
    pub(crate) fn of_secret(secret: &str) -> Option<Self> {
        let (name, _) = secret.strip_prefix("pk_")?.split_once('_')?;
        Self::of_name(name)
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a secret came in. Each door takes its own kinds of credential and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The `Authorization` header.
    Header,
    /// The session cookie.
    Cookie,
    /// The sign-in form.
    SignIn,
    /// A learner token that its holder hands over to have a link made of it.
    LinkForLearner,
    /// A member of staff who presents their token again.
    Confirmation,
}

impl Door {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] =
        [Self::Header, Self::Cookie, Self::SignIn, Self::LinkForLearner, Self::Confirmation];

    pub(crate) const fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Header => matches!(kind, Kind::Api | Kind::Learner | Kind::Service | Kind::Operator),
            Self::Cookie => matches!(kind, Kind::Session),
            Self::SignIn => matches!(kind, Kind::Link | Kind::Api),
            Self::LinkForLearner => matches!(kind, Kind::Learner),
            Self::Confirmation => matches!(kind, Kind::Api),
        }
    }

    /// The door that the gateway names.
    pub(crate) fn of_contract(door: i32) -> Result<Self, Error> {
        match proto::Door::try_from(door) {
            Ok(proto::Door::Header) => Ok(Self::Header),
            Ok(proto::Door::Cookie) => Ok(Self::Cookie),
            Ok(proto::Door::Unspecified) | Err(_) => {
                Err(Error::InvalidField { field: "door", what: "must say how the secret came" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_says_its_kind() {
        assert_eq!(Kind::of_secret("pk_api_abc"), Some(Kind::Api));
        assert_eq!(Kind::of_secret("pk_session_a_b"), Some(Kind::Session));
        for nothing in ["", "pk_", "pk_api", "api_abc", "pk_root_abc"] {
            assert_eq!(Kind::of_secret(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn no_secret_opens_both_the_header_and_the_cookie_and_no_session_opens_a_session() {
        for kind in Kind::ALL {
            assert!(!(Door::Header.takes(kind) && Door::Cookie.takes(kind)), "{kind:?}");
        }
        assert!(
            !Door::SignIn.takes(Kind::Session)
                && !Door::SignIn.takes(Kind::Operator)
                && !Door::Header.takes(Kind::Link)
        );
    }
}
