//! The pages.

use axum::Router;

use crate::Edge;

/// The routes of the pages.
pub(crate) fn router() -> Router<Edge> {
    Router::new()
}
