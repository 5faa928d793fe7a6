//! Headers, parameters and problems that many operations share.

use serde_json::{Value, json};

/// A status with which operations refuse.
pub(super) struct Refusal {
    pub(super) status: &'static str,
    pub(super) name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
}

const fn refusal(
    status: &'static str,
    name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
) -> Refusal {
    Refusal { status, name, description, headers }
}

/// A refusal that is kept under the key of its request, and sent again under it.
const REPEATED: &[&str] = &["Idempotency-Replayed"];

/// Every status with which operations refuse.
pub(super) const REFUSALS: &[Refusal] = &[
    refusal(
        "400",
        "BadRequest",
        "The request is wrong: `errors` points at every part of it that is",
        REPEATED,
    ),
    refusal("401", "Unauthorized", "There is no valid credential", &["WWW-Authenticate"]),
    refusal("403", "Forbidden", "This credential may not do that", REPEATED),
    refusal("404", "NotFound", "There is no such thing for this credential", REPEATED),
    refusal("408", "RequestTimeout", "The request did not arrive in time", &[]),
    refusal(
        "409",
        "Conflict",
        "It is not in a state that allows this, or something else came first",
        &["Retry-After"],
    ),
    refusal(
        "412",
        "PreconditionFailed",
        "It was changed since you read it: `errors` tells what it is now, `ETag` what to read",
        &["ETag"],
    ),
    refusal("413", "ContentTooLarge", "The body is larger than this operation takes", REPEATED),
    refusal("414", "UriTooLong", "The address is longer than any of ours", &[]),
    refusal(
        "415",
        "UnsupportedMediaType",
        "The body is not of the media type that this operation takes",
        REPEATED,
    ),
    refusal("422", "UnprocessableContent", "The idempotency key was used for another request", &[]),
    refusal("428", "PreconditionRequired", "Send `If-Match` with the `ETag` that you read", REPEATED),
    refusal(
        "429",
        "TooManyRequests",
        "Too many requests: wait as long as `Retry-After` says",
        &["Retry-After"],
    ),
    refusal("431", "HeadersTooLarge", "The headers are larger than any that we need", &[]),
    refusal("500", "InternalServerError", "Something went wrong on our side; quote the request id", &[]),
    refusal(
        "503",
        "ServiceUnavailable",
        "A part that is needed does not answer right now; try again in a moment",
        &["Retry-After"],
    ),
    refusal("504", "GatewayTimeout", "The work was not done in time; try again", &[]),
];

/// Headers of every response.
pub(super) const EVERYWHERE: [&str; 3] = ["X-Request-Id", "RateLimit", "RateLimit-Policy"];

fn header(description: &str, example: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" }, "example": example })
}

/// The headers of responses.
pub(super) fn headers() -> Value {
    let seconds = json!({ "description": "How many seconds to wait before trying again", "schema": { "type": "integer", "minimum": 0 }, "example": 1 });
    json!({
        "X-Request-Id": header("Names this request, also where the answer is that of an earlier one: quote it when you ask for help", "req_01k9w0x5c8f3v9q2d7t4m6n8rz"),
        "RateLimit": header("What is left of a limit, and in how many seconds it is whole again (draft-ietf-httpapi-ratelimit-headers)", "\"requests\";r=1199;t=1"),
        "RateLimit-Policy": header("The limits that apply", "\"requests\";q=1200;w=60"),
        "Retry-After": seconds,
        "Location": header("Where what was made is, or where to ask how far it is", "/v1/programs/prog_01k9w0x5c8f3v9q2d7t4m6n8rz"),
        "ETag": header("The state of this resource: send it as `If-Match` when you change it, as `If-None-Match` when you read it again", "\"7\""),
        "WWW-Authenticate": header("How to authenticate", "Bearer realm=\"preceptor\""),
        "Content-Disposition": header("The name of the file", "attachment; filename=\"certificate.pdf\""),
        "Idempotency-Replayed": json!({ "description": "`true` on the first answer to this idempotency key, sent again",
            "schema": { "type": "string", "enum": ["true"] }, "example": "true" }),
    })
}

/// The parameters that many operations take.
pub(super) fn parameters() -> Value {
    json!({
        "IdempotencyKey": { "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A key of your own for this write, such as a new UUID: every write needs another one, so none is shown here to be copied. The same key with the same request gives the first answer again, for 24 hours; with another request it is refused. \
                The body is that of the first answer, byte for byte: a problem in it carries the request id of the first request, while `X-Request-Id` names the present one. `Idempotency-Replayed` says that it is a repetition. \
                What an answer quotes is judged again: an attempt comes as it is read now, and an answer to a question is refused (`SOURCE_RETRACTED`) once a source of it was retracted.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[ -~]*[!-~][ -~]*$" } },
        "IfMatch": { "name": "If-Match", "in": "header", "required": true,
            "description": "The `ETag` that you read, or several, or `*` for any state",
            "schema": { "type": "string", "minLength": 1, "pattern": "^(\\*|(W/)?\"[!#-~]*\"(, ?(W/)?\"[!#-~]*\")*)$" }, "example": "\"7\"" },
        "IfNoneMatch": { "name": "If-None-Match", "in": "header", "required": false,
            "description": "The `ETag` that you have: nothing is sent again that did not change",
            "schema": { "type": "string" }, "example": "\"7\"" },
    })
}

/// The headers of a response by reference.
pub(super) fn by_reference(names: impl IntoIterator<Item = &'static str>) -> Value {
    let headers = names
        .into_iter()
        .map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })));
    Value::Object(headers.collect())
}

/// The problems by name.
pub(super) fn responses() -> Value {
    let response = |refusal: &Refusal| {
        let body =
            json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "example": example(refusal) });
        let headers = by_reference(EVERYWHERE.into_iter().chain(refusal.headers.iter().copied()));
        let described = json!({ "description": refusal.description, "headers": headers, "content": { "application/problem+json": body } });
        (refusal.name.to_owned(), described)
    };
    Value::Object(REFUSALS.iter().map(response).collect())
}

/// What such a problem looks like.
fn example(refusal: &Refusal) -> Value {
    let (code, detail) = match refusal.status {
        "401" => ("CREDENTIAL_MISSING", "send an API token as `Authorization: Bearer …`, or sign in"),
        "403" => ("CAPABILITY_MISSING", "this credential may not do that"),
        "404" => ("PROGRAM_NOT_FOUND", "there is no such program"),
        "408" => ("REQUEST_TIMEOUT", "the request did not arrive in time; send it again"),
        "409" => (
            "IDEMPOTENCY_KEY_RUNNING",
            "the first request with this key is still running; wait for it, then ask again",
        ),
        "412" => {
            ("REVISION_CONFLICT", "this was changed since you read it; read it again and repeat your change")
        }
        "413" => ("BODY_TOO_LARGE", "the body is larger than this operation takes"),
        "414" => ("URI_TOO_LONG", "the address is longer than any of ours"),
        "415" => ("BODY_NOT_JSON", "send the body as application/json"),
        "422" => (
            "IDEMPOTENCY_KEY_REUSED",
            "this idempotency key was used for another request; use a new key for a new request",
        ),
        "428" => {
            ("IF_MATCH_REQUIRED", "send If-Match with the ETag that you read, so that no change is lost")
        }
        "429" => ("RATE_LIMITED", "more than 1200 requests in a minute; go on in 1 second"),
        "431" => ("HEADERS_TOO_LARGE", "the headers are larger than any that we need"),
        "500" => {
            ("INTERNAL", "something went wrong on our side; try again, and report the request id if it stays")
        }
        "503" => ("UNAVAILABLE", "a part of the platform is not reachable right now; try again in a moment"),
        "504" => ("DEADLINE_EXCEEDED", "the work was not done in time; try again"),
        _ => ("INVALID_FIELD", "title must have 1 to 300 characters"),
    };
    let title =
        crate::error::codes().iter().find(|known| known.code == code).map(|known| known.title.clone());
    let mut problem = json!({
        "type": format!("https://learn.example.org/errors/{code}"), "title": title, "status": refusal.status.parse::<u16>().unwrap_or_default(),
        "detail": detail, "code": code, "request_id": "req_01k9w0x5c8f3v9q2d7t4m6n8rz",
    });
    if code == "INVALID_FIELD" {
        problem["errors"] = json!([{ "pointer": "/title", "detail": "must have 1 to 300 characters" }]);
    }
    problem
}
