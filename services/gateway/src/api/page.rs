//! One page of a list. Every list is read this way.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use preceptor_core::Kind;

use crate::Edge;
use crate::domain::cursor::ListName;
use crate::error::ApiError;
use crate::extract::Refused;
use crate::identity::Identity;

/// How many things a page holds when no one says.
const USUAL: i32 = 20;
/// How many it holds at most.
const MOST: i32 = 100;

/// The parameters of every list, as the document has them.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Page` reads")]
pub(crate) struct PageQuery {
    /// How many, at most 100; 20 when left out.
    #[param(example = 20, minimum = 1, maximum = 100)]
    limit: Option<i32>,
    /// `next_cursor` of the page before. It is good for the same list with the same filters only.
    #[param(max_length = 1000, pattern = "^[0-9A-Za-z_-]*$")]
    cursor: Option<String>,
}

/// Which page was asked for.
#[derive(Debug)]
pub(crate) struct Page {
    /// How many at most.
    pub(crate) limit: i32,
    /// What the page goes on behind; empty for the beginning.
    pub(crate) after: String,
    list: ListName,
}

impl Page {
    /// The cursor of the page that goes on behind `place`, when there is one.
    pub(crate) async fn next(&self, edge: &Edge, place: &str) -> Result<Option<String>, ApiError> {
        self.list.cursor(&*edge.keys, place).await
    }

    /// A page of a list that was read whole, and the cursor of the next one.
    pub(crate) async fn of<T>(
        &self,
        edge: &Edge,
        entries: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let (page, next) = crate::domain::cursor::slice(entries, &self.after, self.limit, key);
        Ok((page, self.next(edge, &next).await?))
    }

    /// The same list under other filters, for a link that carries them.
    pub(crate) fn filtered(&self, filters: &[(&str, &str)]) -> Self {
        let filters: Vec<(String, String)> =
            filters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { limit: self.limit, after: self.after.clone(), list: self.list.filtered(&filters) }
    }

    async fn read(parts: &mut Parts, edge: &Edge, usual: i32, most: i32) -> Result<Self, ApiError> {
        let identity = Identity::from_request_parts(parts, edge).await?;
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (own, filters): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(name, _)| name == "limit" || name == "cursor");
        let value = |name: &str| own.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let limit =
            value("limit").map_or(Ok(usual), str::parse).ok().filter(|limit| (1..=most).contains(limit));
        let wrong = || {
            ApiError::new(Kind::InvalidInput, "QUERY_INVALID", format!("limit must be between 1 and {most}"))
        };
        let list = ListName::new(identity.scope.org(), identity.scope.subject(), parts.uri.path(), &filters);
        let after = list.place(&*edge.keys, value("cursor").unwrap_or_default()).await?;
        Ok(Self { limit: limit.ok_or_else(wrong)?, after, list })
    }
}

impl FromRequestParts<Edge> for Page {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refused> {
        Self::read(parts, edge, USUAL, MOST).await.map_err(|error| Refused::of(parts, error))
    }
}

/// A page of the log, whose entries are small and read in order by programs.
#[derive(Debug)]
pub(crate) struct LongPage(pub(crate) Page);

/// How many entries a long page holds at most, and when no one says.
pub(crate) const MOST_OF_LONG: i32 = 1000;

impl FromRequestParts<Edge> for LongPage {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refused> {
        Page::read(parts, edge, MOST_OF_LONG, MOST_OF_LONG)
            .await
            .map(Self)
            .map_err(|error| Refused::of(parts, error))
    }
}
