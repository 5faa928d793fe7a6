//! Who may call what, read from the contracts' method options.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use preceptor_core::{Capability, Fault, Kind, Scope};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage as _, Value};

use crate::caller::{CallerIdentity, ServiceName};
use crate::records::{Records, Subjects};

const OPTION: &str = "preceptor.policy.v1.policy";
/// Services that come with tonic and carry no policy of ours: any caller of the mesh may ask for health and reflection.
const OPEN_PREFIXES: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection."];

/// The policy of one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Services that may call it.
    pub callers: Vec<ServiceName>,
    /// The subject needs one of these.
    pub any_of: Vec<Capability>,
    /// Carries no scope token.
    pub unscoped: bool,
    /// Safe to repeat.
    pub idempotent: bool,
    /// What is put on record beside refusals.
    pub records: Records,
    /// Refused to those who act on someone's behalf.
    pub in_person: bool,
}

/// A contract that cannot be enforced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method}: {problem}")]
pub struct BadContract {
    /// The method's path.
    pub method: String,
    /// What is wrong with its policy.
    pub problem: String,
}

/// The policies of all methods, by path (`/package.Service/Method`).
#[derive(Debug, Clone)]
pub struct Policies {
    by_path: Arc<HashMap<String, Policy>>,
    pool: DescriptorPool,
}

impl Policies {
    /// Reads the policies of every method in `descriptors`. A method without one, or with one that lets no one in, is
    /// an error: the mesh does not start with it.
    pub fn read(descriptors: &[u8]) -> Result<Self, BadContract> {
        let pool = DescriptorPool::decode(descriptors)
            .map_err(|error| BadContract { method: "descriptor set".into(), problem: error.to_string() })?;
        let mut by_path = HashMap::new();
        for service in pool.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let policy = policy_of(&pool, &method)
                    .map_err(|problem| BadContract { method: path.clone(), problem })?;
                by_path.insert(path, policy);
            }
        }
        Ok(Self { by_path: Arc::new(by_path), pool })
    }

    /// Whose data the answers of the methods hold.
    pub(crate) fn subjects(&self) -> Subjects {
        Subjects::read(&self.pool)
    }

    /// The policies of our own contracts.
    pub fn of_contracts() -> Result<Self, BadContract> {
        Self::read(preceptor_proto::DESCRIPTORS)
    }

    /// Whether `path` belongs to health or reflection.
    pub fn is_open(path: &str) -> bool {
        OPEN_PREFIXES.iter().any(|prefix| path.starts_with(prefix))
    }

    /// The paths of methods that are safe to repeat and whose request is a single message.
    pub(crate) fn repeatable(&self) -> HashSet<String> {
        let methods = self.pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let single = methods.filter(|method| !method.is_client_streaming());
        let paths =
            single.map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()));
        paths.filter(|path| self.get(path).is_some_and(|policy| policy.idempotent)).collect()
    }

    /// The policy of `path`, if there is such a method.
    pub fn get(&self, path: &str) -> Option<&Policy> {
        self.by_path.get(path)
    }

    /// Every path with its policy, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Policy)> {
        self.by_path.iter().map(|(path, policy)| (path.as_str(), policy))
    }
}

impl Policy {
    /// Refuses a service that is not on the list.
    pub fn check_caller(&self, caller: Option<CallerIdentity>) -> Result<(), Fault> {
        match caller {
            Some(CallerIdentity(service)) if self.callers.contains(&service) => Ok(()),
            _ => {
                Err(Fault::new(Kind::Forbidden, "CALLER_NOT_ALLOWED", "this service may not make that call"))
            }
        }
    }

    /// Refuses a subject without a needed capability, the deployment's operator where only tenants have something, and
    /// anyone who acts on someone's behalf in what belongs to that person alone.
    pub fn check_scope(&self, scope: &Scope) -> Result<(), Fault> {
        if !scope.org().is_tenant() && !self.any_of.contains(&Capability::Operate) {
            return Err(Fault::new(
                Kind::Forbidden,
                "NOT_A_TENANT",
                "the operator of the deployment has no programs, sources or learners; use a credential of an organization",
            ));
        }
        if self.in_person && scope.acting().is_some() {
            return Err(Fault::new(
                Kind::Forbidden,
                "ACTING_NOT_ALLOWED",
                "this credential was made by staff on a learner's behalf; only the learner in person may do this",
            ));
        }
        if self.any_of.iter().any(|&capability| scope.grants(capability)) {
            return Ok(());
        }
        let needed = self.any_of.iter().map(|capability| capability.name()).collect::<Vec<_>>().join(" or ");
        Err(Fault::new(
            Kind::Forbidden,
            "CAPABILITY_MISSING",
            "your role does not allow this; ask an admin of your organization",
        )
        .with("role", scope.role())
        .with("needed", needed))
    }
}

fn policy_of(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Policy, String> {
    let extension =
        pool.get_extension_by_name(OPTION).ok_or("the policy option is not in the descriptor set")?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return Err("has no policy option".into());
    }
    let value = options.get_extension(&extension);
    let message = value.as_message().ok_or("its policy is not a message")?;
    let policy = Policy {
        callers: names(message, "callers")?,
        any_of: names(message, "any_of")?,
        unscoped: flag(message, "unscoped"),
        idempotent: flag(message, "idempotent"),
        records: records(message)?,
        in_person: flag(message, "in_person"),
    };
    if policy.callers.is_empty() {
        return Err("its policy lets no service in".into());
    }
    if policy.unscoped != policy.any_of.is_empty() {
        return Err("its policy must name capabilities or be unscoped, and not both".into());
    }
    Ok(policy)
}

fn names<T: std::str::FromStr>(message: &DynamicMessage, field: &str) -> Result<Vec<T>, String> {
    let value = message.get_field_by_name(field).ok_or_else(|| format!("its policy has no field {field}"))?;
    let Value::List(list) = value.as_ref() else { return Err(format!("{field} is not a list")) };
    list.iter()
        .map(|item| {
            let name = item.as_str().unwrap_or_default();
            name.parse().map_err(|_| format!("{field} names an unknown {name:?}"))
        })
        .collect()
}

fn records(message: &DynamicMessage) -> Result<Records, String> {
    let value = message.get_field_by_name("records").ok_or("its policy has no field records")?;
    let number = value.as_enum_number().unwrap_or_default();
    let field = message.descriptor().get_field_by_name("records");
    let kind = field.and_then(|field| field.kind().as_enum().cloned()).ok_or("records is not an enum")?;
    kind.get_value(number).ok_or_else(|| format!("records has no value {number}"))?.name().parse()
}

fn flag(message: &DynamicMessage, field: &str) -> bool {
    message.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use prost_reflect::MessageDescriptor;

    use super::*;

    #[test]
    fn every_method_of_our_contracts_has_a_policy() {
        let policies = Policies::of_contracts().expect("enforceable contracts");
        assert!(policies.iter().count() > 30);
        let ask = policies.get("/preceptor.answering.v1.Answering/Ask").expect("the main job");
        assert_eq!(ask.callers, [ServiceName::Gateway]);
        assert_eq!(ask.any_of, [Capability::Learn]);
    }

    /// What a learner can reach and is no one's own. Everything else that a learner can reach is `in_person`.
    const OF_NOBODY: [&str; 19] = [
        "answering.v1.Answering/Ask",
        "answering.v1.Answering/GetMessage",
        "audit.v1.Audit/ConfirmCheckpoint",
        "audit.v1.Audit/Prove",
        "audit.v1.Audit/ProveObjects",
        "auth.v1.Auth/DescribeOrg",
        "auth.v1.Auth/IssueSignInLink",
        "credits.v1.Credits/GetLeaderboard",
        "credits.v1.Credits/GetQuiz",
        "credits.v1.Credits/ListOffers",
        "ingestion.v1.Ingestion/GetDocument",
        "ingestion.v1.Ingestion/GetPagePicture",
        "ingestion.v1.Ingestion/GetProgram",
        "ingestion.v1.Ingestion/GetSource",
        "ingestion.v1.Ingestion/ListPrograms",
        "ingestion.v1.Ingestion/ListSources",
        "ingestion.v1.Ingestion/ListVerifications",
        "ingestion.v1.Ingestion/ReadPassages",
        "ingestion.v1.Ingestion/ResolvePublished",
    ];

    #[test]
    fn what_belongs_to_a_learner_is_done_in_person() {
        let policies = Policies::of_contracts().expect("enforceable contracts");
        let mut open: Vec<&str> = policies
            .iter()
            .filter(|(_, policy)| policy.any_of.contains(&Capability::Learn) && !policy.in_person)
            .map(|(path, _)| path.trim_start_matches("/preceptor."))
            .filter(|path| *path != "retrieval.v1.Retrieval/Search")
            .collect();
        open.sort_unstable();
        assert_eq!(open, OF_NOBODY, "a new RPC of learners is in_person, or is named here as nobody's own");
        for (path, policy) in policies.iter().filter(|(path, _)| path.contains("credentials.v1")) {
            assert!(policy.in_person || !policy.any_of.contains(&Capability::Learn), "{path}");
        }
    }

    #[test]
    fn a_method_without_a_policy_is_refused() {
        // The health service is a contract without our option.
        let error = Policies::read(tonic_health::pb::FILE_DESCRIPTOR_SET).expect_err("no policy");
        assert!(error.method.contains("grpc.health.v1.Health"), "{error}");
    }

    /// A field that is marked and a method that is not: anyone who adds one is told here. So is the one who takes an option away.
    #[test]
    fn every_answer_with_personal_data_is_on_record() {
        let policies = Policies::of_contracts().expect("enforceable contracts");
        let of_gateway =
            |path: &str| policies.get(path).filter(|policy| policy.callers.contains(&ServiceName::Gateway));
        let marked = crate::records::marked(&policies.pool);
        let marked: Vec<&str> =
            marked.iter().map(String::as_str).filter(|path| of_gateway(path).is_some()).collect();
        assert!(marked.len() >= 15, "{marked:?}");
        for path in &marked {
            assert_eq!(
                of_gateway(path).map(|policy| policy.records),
                Some(Records::ReadPersonal),
                "{path} shows personal data"
            );
        }
        for (path, policy) in policies.iter().filter(|(_, policy)| policy.records == Records::ReadPersonal) {
            assert!(
                marked.contains(&path),
                "{path} is on record as a read of personal data and marks none: {policy:?}"
            );
        }
    }

    /// Names of fields that hold personal data wherever they stand, but for the names of things.
    const PERSONAL_NAMES: [&str; 12] = [
        "email",
        "license_number",
        "npi",
        "degree",
        "licensed_since",
        "license_expires",
        "date_of_birth",
        "phone",
        "address",
        "question",
        "learner",
        "subject",
    ];
    /// Messages where such a name means something else, or which no person is shown.
    const NOT_SHOWN: [&str; 2] = [
        // The caller's own attempt and no one else's.
        "preceptor.credits.v1.Attempt",
        // On record as a credential.
        "preceptor.auth.v1.IssueLearnerTokenResponse",
    ];

    /// Whether a message has such a field, or one inside it has: lists hold what single answers hold.
    fn names_a_person(message: &MessageDescriptor, seen: &mut HashSet<String>) -> bool {
        if NOT_SHOWN.contains(&message.full_name()) || !seen.insert(message.full_name().to_owned()) {
            return false;
        }
        message.fields().any(|field| {
            PERSONAL_NAMES.contains(&field.name())
                || field.kind().as_message().is_some_and(|inner| names_a_person(inner, seen))
        })
    }

    #[test]
    fn personal_fields_are_marked_under_whatever_message_they_come() {
        let policies = Policies::of_contracts().expect("enforceable contracts");
        let marks = crate::records::marked(&policies.pool);
        let mut unmarked = Vec::new();
        for service in policies.pool.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let is_shown =
                    policies.get(&path).is_some_and(|policy| policy.callers.contains(&ServiceName::Gateway));
                let named = names_a_person(&method.output(), &mut HashSet::new());
                if is_shown && named && !marks.contains(&path) {
                    unmarked.push(path);
                }
            }
        }
        assert_eq!(
            unmarked,
            Vec::<String>::new(),
            "mark the fields of these answers as personal or as a subject"
        );
    }

    /// Fields that hold a secret: anyone who is given one is on record.
    const SECRETS: [&str; 5] = ["token", "admin_token", "secret", "session", "api_key"];

    #[test]
    fn every_answer_with_a_secret_is_on_record() {
        let policies = Policies::of_contracts().expect("enforceable contracts");
        let mut with_secrets = 0;
        for service in policies.pool.services() {
            for method in service
                .methods()
                .filter(|method| method.output().fields().any(|field| SECRETS.contains(&field.name())))
            {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let records = policies.get(&path).map(|policy| policy.records);
                assert!(
                    matches!(records, Some(Records::Credential | Records::SignIn)),
                    "{path} hands out a secret"
                );
                with_secrets += 1;
            }
        }
        assert!(with_secrets >= 5, "{with_secrets}");
    }
}
