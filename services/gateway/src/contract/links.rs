//! Links: which operations take the id of what an operation makes.

use serde_json::{Map, Value, json};

use super::operations::METHODS;
use super::{nouns, resolve};

/// Where an answer may have the id of what was made.
const PLACES: [&str; 4] = ["/id", "/staff/id", "/credential/id", "/message_id"];

static NOTHING: Value = Value::Null;

/// Adds to every answer that something was made, or taken on, the operations that go on from there.
pub(super) fn link(document: &mut Value) {
    let known = document.clone();
    for (_, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for method in METHODS {
            let responses =
                methods.get_mut(method).and_then(|operation| operation["responses"].as_object_mut());
            for (status, response) in responses.into_iter().flatten() {
                let links = links(&known, response);
                // A question is answered with 200, and its message is new all the same.
                let is_new = matches!(status.as_str(), "201" | "202") || is_message(&known, response);
                if is_new && !links.is_empty() {
                    response["links"] = links.into();
                }
            }
        }
    }
}

/// The schema of what an answer says.
fn body<'a>(document: &'a Value, response: &'a Value) -> &'a Value {
    resolve(document, &response["content"]["application/json"]["schema"])
}

fn is_message(document: &Value, response: &Value) -> bool {
    !property(document, body(document, response), "/message_id").is_null()
}

/// What the schema says of a place in what it describes.
fn property<'a>(document: &'a Value, schema: &'a Value, place: &str) -> &'a Value {
    place.split('/').skip(1).fold(schema, |schema, name| {
        let parts = schema["allOf"].as_array().into_iter().flatten().map(|part| resolve(document, part));
        let mut named = std::iter::once(schema).chain(parts).map(|part| &part["properties"][name]);
        named.find(|property| !property.is_null()).map_or(&NOTHING, |property| resolve(document, property))
    })
}

/// The links of an answer, by the name of the operation that they lead to.
fn links(document: &Value, response: &Value) -> Map<String, Value> {
    let schema = body(document, response);
    let ids = PLACES.iter().filter_map(|place| Some((*place, prefix(property(document, schema, place))?)));
    ids.flat_map(|(place, prefix)| {
        let link = move |operation: &str| {
            let words = "Takes the id of what this answer is about";
            json!({ "operationId": operation, "description": words, "parameters": { "id": format!("$response.body#{place}") } })
        };
        takers(document, prefix).into_iter().map(move |operation| (operation.to_owned(), link(operation)))
    })
    .collect()
}

/// The prefix of an id, as its example has it.
fn prefix(schema: &Value) -> Option<&str> {
    let example = schema["example"].as_str().or_else(|| schema["examples"][0].as_str())?;
    example.rsplit_once('_').map(|(prefix, _)| prefix)
}

/// The operations whose path takes such an id, and no other value.
fn takers<'a>(document: &'a Value, prefix: &str) -> Vec<&'a str> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let taking = paths.filter(|(path, _)| {
        path.matches('{').count() == 1 && nouns::before(path, "id").is_some_and(|noun| noun.prefix == prefix)
    });
    taking
        .flat_map(|(_, methods)| METHODS.map(|method| methods[method]["operationId"].as_str()))
        .flatten()
        .collect()
}
