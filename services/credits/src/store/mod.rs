//! Tables of credits.
//!
//! Every table may only grow but three: what a learner has chosen so far, which form is open, and requests for drafts.

pub(crate) mod attempts;
pub(crate) mod awards;
pub(crate) mod certificates;
pub(crate) mod generations;
pub(crate) mod items;
pub(crate) mod offers;
pub(crate) mod settings;

use preceptor_store::{Migration, Schema, tenant_tables};

/// The tables of the credits service.
pub const SCHEMA: Schema = Schema {
    service: "credits",
    migrations: &[
        Migration {
            name: "0001_credits",
            sql: include_str!("0001_credits.sql"),
            append_only: &[
                "credits_accreditation",
                "credits_policy",
                "credits_policy_class",
                "credits_offer",
                "credits_recognition",
                "credits_item_version",
                "credits_item_option",
                "credits_item_passage",
                "credits_item_decision",
                "credits_form",
                "credits_form_source",
                "credits_form_item",
                "credits_attempt",
                "credits_answer",
                "credits_result",
                "credits_evaluation",
                "credits_ledger",
                "credits_award",
                "credits_annotation",
                "credits_suspension",
                "credits_certificate",
                "credits_certificate_file",
            ],
        },
        Migration { name: "0002_generations", sql: include_str!("0002_generations.sql"), append_only: &[] },
        Migration {
            name: "0003_assessment",
            sql: include_str!("0003_assessment.sql"),
            append_only: &["credits_taking", "credits_accreditation_decision"],
        },
        Migration {
            name: "0020_status_lists",
            sql: include_str!("0020_status_lists.sql"),
            append_only: &["credits_status_entry", "credits_certificate_sheet"],
        },
        preceptor_jobs::migration!("0016_jobs", "credits"),
        preceptor_jobs::migration!("0022_print_jobs", "credits_print"),
        Migration { name: "0023_unprinted", sql: include_str!("0023_unprinted.sql"), append_only: &[] },
        Migration { name: "0021_settings", sql: include_str!("0021_settings.sql"), append_only: &[] },
        Migration {
            name: "0024_result_seals",
            sql: include_str!("0024_result_seals.sql"),
            append_only: &["credits_result_seal"],
        },
        Migration {
            name: "0025_attempts_of_everyone",
            sql: include_str!("0025_attempts_of_everyone.sql"),
            append_only: &[],
        },
        Migration {
            name: "0026_award_seals",
            sql: include_str!("0026_award_seals.sql"),
            append_only: &["credits_award_seal"],
        },
    ],
};

preceptor_jobs::jobs_table!("credits_job");

/// Certificates that are due, in a table of their own: no one waits for one behind a quiz that is composed.
pub(crate) mod print {
    preceptor_jobs::jobs_table!("credits_print_job");
}

tenant_tables! {
    /// Periods in which the provider is accredited.
    accreditation = "credits_accreditation" key { id: String } {
        body: String,
        provider: String,
        provider_number: String,
        status: String,
        valid_from: i64,
        valid_until: i64,
        recorded_by: String,
        recorded_at: i64,
        signatory_name: String,
        signatory_title: String,
        logo_type: String,
        logo: Option<Vec<u8>>,
    }

    /// What the operator found out about accreditations.
    accreditation_decision = "credits_accreditation_decision" key { id: String } {
        accreditation_id: String,
        number: i64,
        valid_from: i64,
        valid_until: i64,
        confirmed: bool,
        evidence: String,
        decided_by: String,
        decided_at: i64,
    }

    /// Sets of source classes that count.
    policy = "credits_policy" key { id: String } {}

    /// The classes of a policy.
    policy_class = "credits_policy_class" key { policy_id: String, class: String } {}

    /// Designations.
    offer = "credits_offer" key { id: String } {
        program_id: String,
        credit_type: String,
        activity_title: String,
        activity_format: String,
        policy_id: String,
        designated_quarters: i64,
        opens_at: i64,
        terminates_at: i64,
        evaluation_required: bool,
        minimum_level: i64,
        accreditation_id: String,
        accreditation_from: i64,
        accreditation_until: i64,
        accreditation_statement: String,
        designation_statement: String,
        statements_sha256: String,
        rules: String,
        designated_by: String,
        designated_at: i64,
        activity_number: String,
        released_at: i64,
        reviewed_at: Option<i64>,
        joint_providers: String,
        moc_statements: String,
    }

    /// What a profession receives under an offer.
    recognition = "credits_recognition" key { offer_id: String, profession: String } {
        recognition: String,
    }

    /// Versions of items.
    item_version = "credits_item_version" key { id: String } {
        item_id: String,
        number: i64,
        program_id: String,
        source_id: String,
        source_version_id: String,
        kind: String,
        difficulty: String,
        stem: String,
        explanation: String,
        options: i64,
        origin: String,
        author: String,
        created_at: i64,
        sha256: String,
    }

    /// Their options.
    item_option = "credits_item_option" key { item_version_id: String, option: i64 } {
        options: i64,
        text: String,
        correct: i64,
    }

    /// The passages they are bound to.
    item_passage = "credits_item_passage" key { item_version_id: String, ordinal: i64 } {
        source_version_id: String,
        program_id: String,
        passage_id: String,
        quote: String,
    }

    /// What reviewers decided.
    item_decision = "credits_item_decision" key { id: String } {
        item_version_id: String,
        author: String,
        reviewer: String,
        approved: bool,
        reason: String,
        decided_at: i64,
    }

    /// Requests for drafts.
    generation = "credits_generation" key { id: String } {
        program_id: String,
        wanted: i64,
        kind: String,
        difficulty: String,
        asked_by: String,
        asked_at: i64,
        state: String,
        sources_read: i64,
        items: String,
        note: String,
        problem_code: String,
        ended_at: Option<i64>,
    }

    /// Frozen quizzes.
    form = "credits_form" key { id: String } {
        program_id: String,
        number: i64,
        policy_id: String,
        threshold: i64,
        items: i64,
        most_attempts: i64,
        content_verified_at: i64,
        leaderboard: bool,
        sha256: String,
        frozen_by: String,
        frozen_at: i64,
    }

    /// The verified sources a form asks about.
    form_source = "credits_form_source" key { form_id: String, source_version_id: String } {
        program_id: String,
        policy_id: String,
        content_verified_at: i64,
        verification_id: String,
        class: String,
        counts: bool,
        verified_at: i64,
    }

    /// The items of a form.
    form_item = "credits_form_item" key { form_id: String, position: i64 } {
        items: i64,
        item_version_id: String,
        program_id: String,
        source_version_id: String,
        decision_id: String,
        approved: bool,
    }

    /// The form that learners get.
    open_form = "credits_open_form" key { program_id: String } {
        form_id: String,
        opened_at: i64,
    }

    /// What people did with the quizzes of a program, in sequence, and whether they had seen the key by then.
    taking = "credits_taking" key { program_id: String, learner: String, entry: i64 } {
        kind: String,
        attempt_id: String,
        key_seen: bool,
        previous: i64,
        previous_key_seen: bool,
        noted_at: i64,
    }

    /// Runs of learners through forms.
    attempt = "credits_attempt" key { id: String } {
        form_id: String,
        program_id: String,
        policy_id: String,
        threshold: i64,
        items: i64,
        most_attempts: i64,
        content_verified_at: i64,
        frozen_at: i64,
        learner: String,
        number: i64,
        seed: i64,
        started_at: i64,
        took: String,
        key_seen: bool,
    }

    /// What was chosen so far.
    draft = "credits_draft" key { attempt_id: String, position: i64 } {
        option: i64,
    }

    /// What was submitted.
    answer = "credits_answer" key { attempt_id: String, position: i64 } {
        form_id: String,
        item_version_id: String,
        option: i64,
        correct: i64,
        previous: i64,
        previous_right: i64,
        right_so_far: i64,
    }

    /// How it ended.
    result = "credits_result" key { attempt_id: String } {
        form_id: String,
        program_id: String,
        policy_id: String,
        threshold: i64,
        items: i64,
        content_verified_at: i64,
        learner: String,
        started_at: i64,
        completed_at: i64,
        right_answers: i64,
        passed: bool,
        took: String,
        key_seen: bool,
    }

    /// Keyed hashes over results.
    result_seal = "credits_result_seal" key { attempt_id: String } { seal: String }

    /// What learners said afterwards.
    evaluation = "credits_evaluation" key { id: String } {
        program_id: String,
        learner: String,
        responses: String,
        given_at: i64,
    }

    /// Awards and voids, taking turns.
    ledger = "credits_ledger" key { learner: String, program_id: String, credit_type: String, entry: i64 } {
        kind: String,
        award_id: String,
        previous: Option<i64>,
        previous_award_id: Option<String>,
        actor: String,
        reason: String,
        entered_at: i64,
    }

    /// Credits.
    award = "credits_award" key { id: String } {
        learner: String,
        program_id: String,
        credit_type: String,
        entry: i64,
        entry_kind: String,
        offer_id: String,
        policy_id: String,
        designated_quarters: i64,
        opens_at: i64,
        terminates_at: i64,
        evaluation_required: bool,
        minimum_level: i64,
        accreditation_from: i64,
        accreditation_until: i64,
        attempt_id: String,
        form_id: String,
        content_verified_at: i64,
        started_at: i64,
        quiz_completed_at: i64,
        passed: bool,
        evaluation_id: Option<String>,
        assertion_id: String,
        profession: String,
        level: i64,
        valid_from: i64,
        valid_until: i64,
        recognition: String,
        quarters: i64,
        issued_at: i64,
        accreditation_decision: Option<String>,
        accreditation_confirmed: bool,
    }

    /// Keyed hashes over credits.
    award_seal = "credits_award_seal" key { award_id: String } { seal: String }

    /// Remarks on credits.
    annotation = "credits_annotation" key { id: String } {
        award_id: String,
        kind: String,
        source_version_id: String,
        verification_id: String,
        text: String,
        noted_at: i64,
    }

    /// Sources that lost their standing.
    suspension = "credits_suspension" key { source_version_id: String } {
        verification_id: String,
        verdict: String,
        suspended_at: i64,
    }

    /// What was signed.
    certificate = "credits_certificate" key { id: String } {
        award_id: String,
        code: String,
        signing_key: String,
        event_id: String,
        credential_sha256: String,
        wrapped_key: Vec<u8>,
        sealed: Vec<u8>,
        issued_at: i64,
    }

    /// What is printed.
    certificate_file = "credits_certificate_file" key { certificate_id: String } {
        sealed: Vec<u8>,
        sha256: String,
        leaf_index: i64,
        rendered_at: i64,
    }

    /// Where certificates stand in lists of voided ones.
    status_entry = "credits_status_entry" key { certificate_id: String } {
        list: i64,
        place: i64,
    }

    /// What an org chose for its certificates.
    setting = "credits_setting" key { name: String } {
        value: String,
        set_by: String,
        set_at: i64,
    }

    /// What is printed on other papers.
    certificate_sheet = "credits_certificate_sheet" key { certificate_id: String, paper: String } {
        sealed: Vec<u8>,
        sha256: String,
        rendered_at: i64,
    }
}
