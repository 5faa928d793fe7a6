//! What a noun and a list of it cost in this crate: one line a field, one line a list.
//!
//! A `shape!` is the JSON of a message of a service, declared together with how it is read from that message: every
//! field has the name that the contract gives it, and the function behind `=`, where there is one, makes its value. A
//! `listed!` is a list of such shapes: its page, and the call that reads it.
//!
//! Both name what their caller has to import: `proto`, `Serialize`, `ToSchema`, and for lists `Edge`, `Identity`, `Page`
//! and `ApiError`.

/// Declares shapes and how they are made of messages.
///
/// ```text
/// shape! {
///     /// A check, whatever came of it.
///     Check of proto::Check { method: String, passed: bool, checked_at: String = instant }
/// }
/// ```
macro_rules! shape {
    (@read $message:ident $field:ident) => { $message.$field };
    (@read $message:ident $field:ident $read:ident) => { $read($message.$field) };
    ($(
        $(#[$($about:tt)*])*
        $name:ident of proto::$message:ident {
            $($(#[$($on:tt)*])* $field:ident: $kind:ident $(<$inner:ident>)? $(= $read:ident)?),+ $(,)?
        }
    )+) => {$(
        $(#[$($about)*])*
        #[derive(Debug, Clone, Serialize, ToSchema)]
        pub(crate) struct $name {
            $($(#[$($on)*])* pub(crate) $field: $kind $(<$inner>)?,)+
        }

        impl From<proto::$message> for $name {
            fn from(message: proto::$message) -> Self {
                Self { $($field: shape!(@read message $field $($read)?),)+ }
            }
        }
    )+};
}

/// Declares a list: the page that the API answers with, the method of `Edge` that calls the service, and
/// `read`, which does so for the page that was asked for.
///
/// ```text
/// listed! {
///     /// A page of credentials.
///     CredentialPage of Credential = credentials by auth.list_credentials(proto::ListCredentialsRequest).credentials
/// }
/// ```
macro_rules! listed {
    (
        $(#[$($about:tt)*])*
        $page:ident of $row:ident = $method:ident by $service:ident.$rpc:ident(proto::$request:ident).$rows:ident
    ) => {
        $(#[$($about)*])*
        #[derive(Debug, Serialize, ToSchema)]
        pub(crate) struct $page {
            pub(crate) data: Vec<$row>,
            pub(crate) next_cursor: Option<String>,
        }

        impl Edge {
            /// Rows of the list, and the place that the next ones come behind; empty at the end.
            pub(crate) async fn $method(
                &self,
                identity: &Identity,
                request: proto::$request,
            ) -> Result<(Vec<$row>, String), ApiError> {
                let listed = self.$service.clone().$rpc(identity.request(request)?).await?.into_inner();
                Ok((listed.$rows.into_iter().map($row::from).collect(), listed.next))
            }
        }

        impl $page {
            /// Reads the page that was asked for.
            pub(crate) async fn read(
                edge: &Edge,
                identity: &Identity,
                mut request: proto::$request,
                page: &Page,
            ) -> Result<Self, ApiError> {
                request.limit = page.limit;
                request.after.clone_from(&page.after);
                let (data, next) = edge.$method(identity, request).await?;
                Ok(Self { data, next_cursor: page.next(edge, &next).await? })
            }
        }
    };
}

pub(super) use {listed, shape};

/// Rows of a message as their shapes.
pub(super) fn each<Row, Shape: From<Row>>(rows: Vec<Row>) -> Vec<Shape> {
    rows.into_iter().map(Shape::from).collect()
}

/// A text, or nothing where it is empty.
pub(super) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;
    use utoipa::ToSchema;

    use super::{each, some};
    use crate::domain::time::instant;

    mod proto {
        pub(super) struct Part {
            pub(super) name: String,
        }

        pub(super) struct Whole {
            pub(super) id: String,
            pub(super) count: i64,
            pub(super) made_at: i64,
            pub(super) parts: Vec<Part>,
        }
    }

    shape! {
        /// A part.
        Part of proto::Part { name: String }

        /// A whole.
        Whole of proto::Whole {
            /// Which.
            id: Option<String> = some,
            count: i64,
            made_at: String = instant,
            parts: Vec<Part> = each,
        }
    }

    #[test]
    fn a_shape_has_the_fields_of_its_message_as_they_are_read() {
        let parts = vec![proto::Part { name: "one".to_owned() }];
        let whole = proto::Whole { id: String::new(), count: 2, made_at: 1_000_000, parts };
        let shown = serde_json::to_value(Whole::from(whole)).expect("JSON");
        let made_at = "1970-01-01T00:00:01.000Z";
        assert_eq!(
            shown,
            json!({ "id": null, "count": 2, "made_at": made_at, "parts": [{ "name": "one" }] })
        );
    }
}
