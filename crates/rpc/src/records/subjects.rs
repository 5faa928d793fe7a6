//! Whose data an answer holds: the fields that the contract marks.

use std::collections::{BTreeSet, HashMap, HashSet};

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

const SUBJECT: &str = "preceptor.policy.v1.subject";
const PERSONAL: &str = "preceptor.policy.v1.personal";

/// The answers whose subjects can be found, by the path of their method.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    answers: HashMap<String, MessageDescriptor>,
    mark: Option<ExtensionDescriptor>,
}

impl Subjects {
    /// Reads the marks of every method in `pool`.
    pub fn read(pool: &DescriptorPool) -> Self {
        let mut answers = HashMap::new();
        for service in pool.services() {
            for method in service.methods().filter(|method| !method.is_server_streaming()) {
                answers.insert(format!("/{}/{}", service.full_name(), method.name()), method.output());
            }
        }
        Self { answers, mark: pool.get_extension_by_name(SUBJECT) }
    }

    /// Whether the answer of a method is one message.
    pub(crate) fn is_single(&self, path: &str) -> bool {
        self.answers.contains_key(path)
    }

    /// The subjects in an encoded answer, each once. `None` when it cannot be read.
    pub(crate) fn of(&self, path: &str, answer: &[u8]) -> Option<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let (Some(mark), Some(kind)) = (&self.mark, self.answers.get(path)) else { return Some(found) };
        collect(&DynamicMessage::decode(kind.clone(), answer).ok()?, mark, &mut found);
        Some(found)
    }
}

fn is_marked(field: &FieldDescriptor, mark: &ExtensionDescriptor) -> bool {
    field.options().get_extension(mark).as_bool().unwrap_or(false)
}

fn collect(message: &DynamicMessage, mark: &ExtensionDescriptor, found: &mut BTreeSet<String>) {
    for (field, value) in message.fields() {
        let values = match value {
            Value::List(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            match value {
                Value::Message(inner) => collect(inner, mark, found),
                Value::String(subject) if !subject.is_empty() && is_marked(&field, mark) => {
                    found.insert(subject.clone());
                }
                _ => {}
            }
        }
    }
}

/// The methods whose answers hold a field that the contract marks as personal, or as whose data it is: for the test that
/// each of them is on record.
pub fn marked(pool: &DescriptorPool) -> BTreeSet<String> {
    let marks: Vec<_> =
        [SUBJECT, PERSONAL].iter().filter_map(|name| pool.get_extension_by_name(name)).collect();
    let mut paths = BTreeSet::new();
    for service in pool.services() {
        for method in service.methods() {
            if holds(&method.output(), &marks, &mut HashSet::new()) {
                paths.insert(format!("/{}/{}", service.full_name(), method.name()));
            }
        }
    }
    paths
}

fn holds(message: &MessageDescriptor, marks: &[ExtensionDescriptor], seen: &mut HashSet<String>) -> bool {
    seen.insert(message.full_name().to_owned())
        && message.fields().any(|field| {
            let inner = match field.kind() {
                Kind::Message(inner) => holds(&inner, marks, seen),
                _ => false,
            };
            inner || marks.iter().any(|mark| is_marked(&field, mark))
        })
}
