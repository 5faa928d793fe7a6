//! From rows to the contract.

use preceptor_certificate::Paper;
use preceptor_proto::credits::v1 as proto;
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::domain::{
    AccreditationView, Activity, AttemptView, CreditView, Feedback, Issuer, ItemView, NO_LONGER_QUOTED,
    OfferView, QuizView, SettingsView, Standing, Summary,
};
use crate::store::{annotation, form, generation};

pub(super) fn accreditation(view: AccreditationView) -> proto::Accreditation {
    let state = view.state().to_owned();
    let AccreditationView { row, decision, org_name, unprintable_scripts } = view;
    let logo_sha256 = row.logo.as_ref().map(|logo| hex::encode(Sha256::digest(logo))).unwrap_or_default();
    proto::Accreditation {
        state,
        evidence: decision.as_ref().map(|decision| decision.evidence.clone()).unwrap_or_default(),
        decided_by: decision.as_ref().map(|decision| decision.decided_by.clone()).unwrap_or_default(),
        decided_at: decision.as_ref().map(|decision| decision.decided_at).unwrap_or_default(),
        signatory_name: row.signatory_name,
        signatory_title: row.signatory_title,
        logo_type: row.logo_type,
        logo_sha256,
        org_id: row.org_id,
        org_name,
        unprintable_scripts: owned(&unprintable_scripts),
        id: row.id,
        body: row.body,
        provider: row.provider,
        provider_number: row.provider_number,
        status: row.status,
        valid_from: row.valid_from,
        valid_until: row.valid_until,
        recorded_by: row.recorded_by,
        recorded_at: row.recorded_at,
    }
}

fn classes(policy: &str) -> Vec<String> {
    policy.split('+').map(str::to_owned).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

pub(super) fn offer(view: OfferView) -> proto::Offer {
    let offer = view.offer;
    let accreditation_state = view.accreditation.state().to_owned();
    let AccreditationView { row: accreditation, org_name, unprintable_scripts, .. } = view.accreditation;
    proto::Offer {
        provider: accreditation.provider,
        provider_number: accreditation.provider_number,
        accreditation_state,
        org_name,
        unprintable_scripts: owned(&unprintable_scripts),
        activity_number: offer.activity_number,
        released_at: if offer.released_at == 0 { offer.opens_at } else { offer.released_at },
        reviewed_at: offer.reviewed_at.unwrap_or_default(),
        joint_providers: lines(&offer.joint_providers),
        moc_statements: lines(&offer.moc_statements),
        id: offer.id,
        program_id: offer.program_id,
        activity_title: offer.activity_title,
        credit_type: offer.credit_type,
        credit_name: view.credit_name,
        activity_format: offer.activity_format,
        designated_quarters: offer.designated_quarters,
        opens_at: offer.opens_at,
        terminates_at: offer.terminates_at,
        evaluation_required: offer.evaluation_required,
        minimum_level: offer.minimum_level as i32,
        source_classes: classes(&offer.policy_id),
        accreditation_id: offer.accreditation_id,
        accreditation_statement: offer.accreditation_statement,
        designation_statement: offer.designation_statement,
        statements_sha256: offer.statements_sha256,
        credit_professions: view.credit_professions,
        designated_by: offer.designated_by,
        designated_at: offer.designated_at,
    }
}

pub(super) fn generation(row: generation::Model) -> proto::Generation {
    proto::Generation {
        id: row.id,
        program_id: row.program_id,
        wanted: row.wanted,
        asked_by: row.asked_by,
        asked_at: row.asked_at,
        state: row.state,
        sources_read: row.sources_read,
        item_ids: row.items.split_whitespace().map(str::to_owned).collect(),
        note: row.note,
        // Requests that were stopped before the code had its final spelling are shown with it.
        problem_code: row.problem_code.replace("CANCELLED", "CANCELED"),
        ended_at: row.ended_at.unwrap_or_default(),
    }
}

pub(super) fn item(view: &ItemView) -> proto::Item {
    let version = &view.version;
    let option = |row: &crate::store::item_option::Model| proto::Option {
        number: row.option as i32,
        text: row.text.clone(),
        correct: row.correct == 1,
    };
    let passage = |row: &crate::store::item_passage::Model| proto::ItemPassage {
        passage_id: row.passage_id.clone(),
        ordinal: row.ordinal as i32,
        quote: row.quote.clone(),
    };
    let decision = view.decision.as_ref();
    proto::Item {
        id: version.item_id.clone(),
        version_id: version.id.clone(),
        version_number: version.number,
        program_id: version.program_id.clone(),
        source_id: version.source_id.clone(),
        source_version_id: version.source_version_id.clone(),
        kind: version.kind.clone(),
        difficulty: version.difficulty.clone(),
        stem: version.stem.clone(),
        options: view.options.iter().map(option).collect(),
        explanation: version.explanation.clone(),
        passages: view.passages.iter().map(passage).collect(),
        origin: version.origin.clone(),
        author: version.author.clone(),
        created_at: version.created_at,
        sha256: version.sha256.clone(),
        state: view.state().to_owned(),
        reviewer: decision.map(|decision| decision.reviewer.clone()).unwrap_or_default(),
        reason: decision.map(|decision| decision.reason.clone()).unwrap_or_default(),
        decided_at: decision.map(|decision| decision.decided_at).unwrap_or_default(),
    }
}

pub(super) fn form(row: form::Model, open: bool) -> proto::Form {
    proto::Form {
        id: row.id,
        program_id: row.program_id,
        number: row.number,
        threshold: row.threshold as i32,
        items: row.items as i32,
        most_attempts: row.most_attempts as i32,
        source_classes: classes(&row.policy_id),
        content_verified_at: row.content_verified_at,
        sha256: row.sha256,
        frozen_by: row.frozen_by,
        frozen_at: row.frozen_at,
        open,
    }
}

pub(super) fn quiz(view: QuizView) -> proto::Quiz {
    let (closed_code, closed_message) =
        view.closed.map(|(code, message)| (code.to_owned(), message)).unwrap_or_default();
    proto::Quiz {
        leaderboard: view.form.leaderboard,
        form: Some(form(view.form, true)),
        offers: view.offers.into_iter().map(offer).collect(),
        closed_code,
        closed_message,
        attempts_made: view.attempts_made as i32,
        evaluation_given: view.evaluation_given,
    }
}

pub(super) fn attempt(view: &AttemptView) -> proto::Attempt {
    let result = view.result.as_ref();
    let order = view.printed.order_of_questions(view.attempt.seed);
    proto::Attempt {
        id: view.attempt.id.clone(),
        program_id: view.attempt.program_id.clone(),
        form_id: view.attempt.form_id.clone(),
        number: view.attempt.number as i32,
        threshold: view.attempt.threshold as i32,
        started_at: view.attempt.started_at,
        completed_at: result.map(|result| result.completed_at).unwrap_or_default(),
        items: view.attempt.items as i32,
        right_answers: result.map(|result| result.right_answers as i32).unwrap_or_default(),
        passed: result.is_some_and(|result| result.passed),
        questions: order
            .into_iter()
            .enumerate()
            .map(|(number, place)| question(view, number, place))
            .collect(),
        learner: view.attempt.learner.clone(),
        evaluation_given: view.evaluation_given,
        feedback: view.feedback.name().to_owned(),
    }
}

/// One question in the order and with the options of this attempt. What is right, and which answers were, is told with the
/// feedback only: whoever may try again learns how many were right, and from which sources everything was asked.
fn question(view: &AttemptView, number: usize, place: usize) -> proto::Question {
    let ended = view.result.is_some();
    let is_shown = view.feedback == Feedback::Shown;
    let item = &view.printed.items[place];
    let order = view.printed.order_of_options(view.attempt.seed, place);
    let chosen = view.chosen.get(&(place as i64 + 1)).copied().unwrap_or_default();
    let shown = |(shown, own): (usize, &usize)| {
        let option = &item.options[*own];
        proto::Option {
            number: shown as i32 + 1,
            text: option.text.clone(),
            correct: is_shown && option.correct == 1,
        }
    };
    let chosen_here =
        order.iter().position(|own| item.options[*own].option == chosen).map_or(0, |shown| shown as i32 + 1);
    let in_doubt = view.suspended.contains(&item.version.source_version_id);
    let quoted = |text: &str| if is_shown && !in_doubt { text.to_owned() } else { String::new() };
    let told = |text: &str| if ended { text.to_owned() } else { String::new() };
    let quote = item.passages.first().map(|passage| passage.quote.as_str()).unwrap_or_default();
    proto::Question {
        position: number as i32 + 1,
        stem: item.version.stem.clone(),
        kind: item.version.kind.clone(),
        options: order.iter().enumerate().map(shown).collect(),
        chosen: chosen_here,
        correct: is_shown && item.options.iter().any(|option| option.option == chosen && option.correct == 1),
        explanation: quoted(&item.version.explanation),
        quote: quoted(quote),
        source_id: told(&item.version.source_id),
        source_version_id: told(&item.version.source_version_id),
        item_version_id: item.version.id.clone(),
        notice: if is_shown && in_doubt { NO_LONGER_QUOTED.to_owned() } else { String::new() },
    }
}

pub(super) fn place(standing: Standing) -> proto::Place {
    proto::Place {
        rank: standing.rank as i32,
        name: standing.name,
        percent: standing.percent as i32,
        you: standing.you,
    }
}

fn annotation(row: &annotation::Model) -> proto::Annotation {
    proto::Annotation {
        kind: row.kind.clone(),
        text: row.text.clone(),
        source_version_id: row.source_version_id.clone(),
        noted_at: row.noted_at,
    }
}

const fn state(voided: bool) -> &'static str {
    if voided { "voided" } else { "live" }
}

pub(super) fn credit(view: CreditView) -> proto::Credit {
    let award = view.award;
    proto::Credit {
        accreditation_confirmed: award.accreditation_confirmed,
        provider: view.accreditation.provider,
        id: award.id,
        program_id: award.program_id,
        program_title: view.offer.activity_title,
        offer_id: award.offer_id,
        credit_type: award.credit_type,
        credit_name: view.credit_name,
        quarters: award.quarters,
        issued_at: award.issued_at,
        quiz_completed_at: award.quiz_completed_at,
        content_verified_at: award.content_verified_at,
        recognition: award.recognition,
        profession: award.profession,
        learner: award.learner,
        state: state(view.void.is_some()).to_owned(),
        void_reason: view.void.as_ref().map(|void| void.reason.clone()).unwrap_or_default(),
        voided_at: view.void.as_ref().map(|void| void.entered_at).unwrap_or_default(),
        annotations: view.annotations.iter().map(annotation).collect(),
        attempt_id: award.attempt_id,
        certificate_state: if view.certificate_ready { "ready" } else { "preparing" }.to_owned(),
        certificate_code: view
            .certificate
            .filter(|_| view.is_own)
            .map(|certificate| certificate.code)
            .unwrap_or_default(),
        fresh: view.fresh,
    }
}

pub(super) fn settings(view: &SettingsView) -> proto::CertificateSettings {
    let chosen = view.paper.as_ref();
    proto::CertificateSettings {
        paper: chosen.map(|row| row.value.clone()).unwrap_or_default(),
        set_by: chosen.map(|row| row.set_by.clone()).unwrap_or_default(),
        set_at: chosen.map(|row| row.set_at).unwrap_or_default(),
        unprintable_scripts: owned(&view.unprintable_scripts),
    }
}

/// The paper of a name; none is the provider's usual one.
pub(super) fn paper(name: &str) -> Result<Option<Paper>, Error> {
    match Paper::of_name(name) {
        None if !name.is_empty() => Err(Error::field("paper", "must be letter or a4")),
        paper => Ok(paper),
    }
}

pub(super) fn activity(view: Activity) -> proto::Activity {
    let published = view.facts.published.unwrap_or_default();
    proto::Activity {
        achievement: view.achievement.to_string(),
        image: view.image,
        title: view.facts.activity,
        provider: view.facts.provider,
        credit_name: view.facts.credit_name,
        format: view.facts.format,
        designated_quarters: view.facts.designated_quarters,
        accreditation_statement: view.facts.accreditation_statement,
        designation_statement: view.facts.designation_statement,
        issuer_url: published.issuer_url,
        url: published.activity_url,
        accreditation_confirmed: view.facts.details.accreditation_confirmed,
    }
}

pub(super) fn issuer(view: Issuer) -> proto::Issuer {
    let keys = view.keys.iter().map(preceptor_certificate::IssuerKey::multikey).collect();
    proto::Issuer {
        url: view.url,
        org_id: view.org.to_string(),
        org_name: view.org_name,
        names: view.names.into_iter().collect(),
        confirmed_names: view.confirmed_names.into_iter().collect(),
        keys,
        log_key: view.log_key,
    }
}

pub(super) fn summary(view: Summary) -> proto::CertificateSummary {
    let instant = |text: &str| {
        text.parse::<preceptor_core::Timestamp>().map(preceptor_core::Timestamp::micros).unwrap_or_default()
    };
    let published = view.facts.published.clone().unwrap_or_default();
    proto::CertificateSummary {
        accreditation_confirmed: view.facts.details.accreditation_confirmed,
        org_name: view.facts.details.org.clone(),
        name: view.facts.person(),
        program_title: view.facts.activity.clone(),
        provider: view.facts.provider.clone(),
        credit_name: view.facts.credit_name.clone(),
        quarters: view.facts.quarters,
        recognition: if view.facts.is_credit { "credit" } else { "participation" }.to_owned(),
        issued_at: instant(&view.facts.issued_at),
        completed_at: instant(&view.facts.completed_at),
        state: state(view.void.is_some()).to_owned(),
        annotations: view.annotations.iter().map(annotation).collect(),
        signing_key: view.signing_key,
        badge: view.badge,
        code: view.facts.code,
        issuer_url: published.issuer_url,
        org_id: view.org.to_string(),
        activity_url: published.activity_url,
        status_list_url: view.facts.status.map(|entry| entry.list).unwrap_or_default(),
        log_key: view.facts.log_key,
    }
}
