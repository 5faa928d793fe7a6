//! Large answers: how many are made at a time, and how much of them is in memory until the clients took it.
//!
//! Anyone who asks for whole files takes them at their own speed, and what they have not taken yet is held here. So an answer
//! that is made of a whole file waits for a place, and every large answer comes out of a budget. Neither is ever all for
//! one org.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use axum::response::Response;
use http_body::Body as _;
use preceptor_core::Kind;
use preceptor_edge::body::{Budget, held};
use preceptor_runtime::Places;
use preceptor_runtime::places::Place;

use crate::Config;
use crate::error::ApiError;

/// What is made of a whole file.
const OF_FILES: [&str; 4] =
    ["/v1/sources/{id}/document", "/v1/sources/{id}/pages/{page}", "/sources/{id}", "/console/sources/{id}"];
/// How long a request waits for a place.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests of one org that wait for a place; more are refused at once, for each of them holds a connection.
const MOST_WAITING: usize = 16;
/// Bytes of an answer that is not worth counting.
const SMALL: u64 = 64 << 10;

/// The places and the budget.
#[derive(Debug)]
pub(crate) struct Answers {
    places: Places<String>,
    budget: Arc<Budget>,
}

impl Answers {
    pub(crate) fn new(config: &Config) -> Self {
        let all = config.answers_in_memory_mib << 20;
        Self { places: Places::new(config.large_answers), budget: Budget::new(all, all / 4) }
    }

    /// Waits for a place to make an answer of a whole file in; `None` for other answers, which need none.
    pub(crate) async fn place(
        &self,
        method: &Method,
        route: &str,
        org: &String,
    ) -> Result<Option<Place>, ApiError> {
        if method != Method::GET || !OF_FILES.contains(&route) {
            return Ok(None);
        }
        let waiting = self.places.take_unless_crowded(org, MOST_WAITING);
        let place = tokio::time::timeout(PATIENCE, waiting).await.ok().flatten();
        place.map(Some).ok_or_else(busy)
    }

    /// The answer, counted in the budget until it was sent.
    pub(crate) fn counted(&self, org: String, response: Response) -> Result<Response, ApiError> {
        let Some(size) = response.body().size_hint().exact().filter(|size| *size >= SMALL) else {
            return Ok(response);
        };
        let account = self.budget.account(org);
        if !account.take(usize::try_from(size).unwrap_or(usize::MAX)) {
            return Err(busy());
        }
        Ok(response.map(|body: Body| held(body, account)))
    }
}

/// There is no space for it now.
pub(crate) fn busy() -> ApiError {
    ApiError::new(Kind::Unavailable, "OVERLOADED", "too much is going on right now; try again in a moment")
        .retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        Answers::new(&Config { large_answers: 2, answers_in_memory_mib: 256, ..Config::default() })
    }

    fn answer(size: usize) -> Response {
        Response::new(Body::from(vec![0; size]))
    }

    #[test]
    fn what_is_not_taken_yet_is_bounded_for_each_org_and_given_back() {
        let answers = answers();
        let of = |org: &str, mib: usize| answers.counted(org.to_owned(), answer(mib << 20));
        let first = of("a", 60).expect("an answer");
        assert!(of("a", 5).is_err(), "a has its quarter");
        let others: Vec<_> = ["b", "c", "d"].map(|org| of(org, 60).expect("an answer")).into();
        assert!(of("e", 60).is_err(), "nothing is left");
        assert!(answers.counted("a".to_owned(), answer(100)).is_ok(), "a small answer is not counted");
        drop((first, others));
        assert!(of("a", 60).is_ok(), "everything came back");
    }

    #[tokio::test(start_paused = true)]
    async fn an_org_does_not_wait_in_more_than_so_many_connections() {
        let (answers, get, a, b) = (answers(), Method::GET, "a".to_owned(), "b".to_owned());
        let held = answers.place(&get, OF_FILES[0], &a).await.expect("a place");
        let mut waiting: Vec<_> =
            (0..MOST_WAITING).map(|_| Box::pin(answers.place(&get, OF_FILES[0], &a))).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one.as_mut()).is_pending());
        }
        let begun = tokio::time::Instant::now();
        assert!(answers.place(&get, OF_FILES[0], &a).await.is_err());
        assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
        assert!(answers.place(&get, OF_FILES[0], &b).await.is_ok());
        drop((held, waiting));
        assert!(answers.place(&get, OF_FILES[0], &a).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_of_files_wait_for_a_place_and_leave_one_to_others() {
        let answers = answers();
        let (a, b) = ("a".to_owned(), "b".to_owned());
        let place = async |org: &String, route: &str| answers.place(&Method::GET, route, org).await;
        let first = place(&a, OF_FILES[0]).await.expect("a place");
        assert!(first.is_some());
        assert!(place(&a, OF_FILES[1]).await.is_err(), "it waited, and says so");
        assert!(place(&b, OF_FILES[1]).await.expect("a place").is_some());
        assert!(place(&a, "/v1/programs").await.expect("no place is needed").is_none());
        drop(first);
        assert!(place(&a, OF_FILES[1]).await.is_ok());
    }
}
