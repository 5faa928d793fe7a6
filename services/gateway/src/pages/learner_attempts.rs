//! Attempts of everyone at a program's quizzes, for staff who read the record.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use preceptor_core::Capability;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::values::AttemptState;
use crate::api::{LearnerAttempt, LearnerAttemptPage, LearnerAttemptQuery, Offer, Page};
use crate::extract::{Path, Query};

/// The states by which attempts are shown, with the words of the page.
const STATES: [(&str, &str); 4] =
    [("", "All"), ("under_way", "Under way"), ("passed", "Passed"), ("failed", "Failed")];

#[derive(Template)]
#[template(path = "learner-attempts.html")]
struct LearnerAttemptsPage {
    frame: Frame,
    program_id: String,
    title: String,
    /// Whether names are shown, where they were stated.
    sees_names: bool,
    states: Vec<Choice>,
    offers: Vec<Choice>,
    /// Attempts, each with who made it.
    attempts: Vec<(String, LearnerAttempt)>,
    /// Leads to older ones.
    next: Option<String>,
}

/// A filter to choose.
struct Choice {
    words: String,
    /// When the offer opened, where the choice is one.
    since: Option<String>,
    link: String,
    is_chosen: bool,
}

/// What is shown of a program's attempts; empty for all.
struct Shown<'a> {
    program: &'a str,
    state: &'a str,
    offer: &'a str,
}

impl Shown<'_> {
    /// The filters as an address has them.
    fn filters(&self) -> Vec<(&str, &str)> {
        let all = [("state", self.state), ("offer_id", self.offer)];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The address of this list, behind `cursor` where there is one.
    fn link(&self, cursor: Option<&str>) -> String {
        let pairs = self.filters().into_iter().chain(cursor.map(|cursor| ("cursor", cursor)));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/console/programs/{}/learner-attempts?{query}", self.program)
    }

    fn states(&self) -> Vec<Choice> {
        let choice = |(state, words): (&str, &str)| Choice {
            words: words.to_owned(),
            since: None,
            link: Shown { state, ..*self }.link(None),
            is_chosen: state == self.state,
        };
        STATES.into_iter().map(choice).collect()
    }

    /// The offers of the program; none where there is nothing to choose.
    fn offers(&self, offers: &[Offer]) -> Vec<Choice> {
        if offers.len() < 2 {
            return Vec::new();
        }
        let choice = |offer: &str, words: &str, since: Option<&String>| Choice {
            words: words.to_owned(),
            since: since.cloned(),
            link: Shown { offer, ..*self }.link(None),
            is_chosen: offer == self.offer,
        };
        let all = std::iter::once(choice("", "All offers", None));
        all.chain(offers.iter().map(|offer| choice(&offer.id, &offer.credit_name, Some(&offer.opens_at))))
            .collect()
    }
}

/// What people read in the place of ids: names, and numbers for those whose name is not shown. On one page the same number
/// is the same learner.
fn named(attempts: Vec<LearnerAttempt>) -> Vec<(String, LearnerAttempt)> {
    let mut unnamed: Vec<String> = Vec::new();
    let mut who = |attempt: &LearnerAttempt| {
        if let Some(name) = &attempt.name {
            return name.clone();
        }
        let known = unnamed.iter().position(|learner| *learner == attempt.learner);
        let place = known.unwrap_or_else(|| {
            unnamed.push(attempt.learner.clone());
            unnamed.len() - 1
        });
        format!("Learner {}", place + 1)
    };
    attempts.into_iter().map(|attempt| (who(&attempt), attempt)).collect()
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Query(query): Query<LearnerAttemptQuery>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let offer = query.offer_id.clone().unwrap_or_default();
    let shown = Shown { program: &id, state: query.state.map_or("", AttemptState::name), offer: &offer };
    // The link to more names the filters: the cursor is good for that address.
    let page = page.filtered(&shown.filters());
    let attempts = LearnerAttemptPage::read(&edge, &identity, query.of(&id), &page).await?;
    html(&LearnerAttemptsPage {
        frame: Frame::of(&identity),
        title: edge.program(&identity, &id).await?.title,
        sees_names: identity.scope.grants(Capability::Administer),
        states: shown.states(),
        offers: shown.offers(&edge.offers(&identity, &id).await?),
        attempts: named(attempts.data),
        next: attempts.next_cursor.map(|cursor| shown.link(Some(&cursor))),
        program_id: id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(learner: &str, name: Option<&str>) -> LearnerAttempt {
        LearnerAttempt {
            id: String::new(),
            learner: learner.to_owned(),
            name: name.map(str::to_owned),
            form_id: String::new(),
            form_number: 1,
            number: 1,
            state: "under_way".to_owned(),
            started_at: String::new(),
            submitted_at: None,
            items: 1,
            right_answers: None,
            percent: None,
            threshold_percent: 60,
            offers: Vec::new(),
        }
    }

    #[test]
    fn who_has_no_name_here_has_a_number_that_is_theirs_on_the_page() {
        let attempts = [("u_1", None), ("u_2", Some("Ada")), ("u_3", None), ("u_1", None)];
        let named = named(attempts.map(|(learner, name)| attempt(learner, name)).into());
        let who: Vec<&str> = named.iter().map(|(who, _)| who.as_str()).collect();
        assert_eq!(who, ["Learner 1", "Ada", "Learner 2", "Learner 1"]);
    }
}
