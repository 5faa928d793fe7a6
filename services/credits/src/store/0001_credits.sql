-- The credit chain. Every link is an immutable row, every reference carries the facts it relies on, and a check on the
-- copied facts says what they must be; so the database itself refuses a credit that was not earned. No triggers are
-- needed for that, and the same text works on SQLite and PostgreSQL. Amounts are in quarters of a credit.

-- Link 1: a period in which the provider is accredited.
CREATE TABLE credits_accreditation (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_number TEXT NOT NULL,
    status TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    CONSTRAINT credits_accreditation_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_accreditation_period UNIQUE (org_id, id, valid_from, valid_until),
    CONSTRAINT credits_accreditation_lasts CHECK (valid_from < valid_until),
    CONSTRAINT credits_accreditation_status CHECK (status IN ('accreditation', 'commendation', 'provisional', 'probation'))
);

-- Which classes of sources count for an activity. The id names its classes, so equal policies are one row.
CREATE TABLE credits_policy (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    CONSTRAINT credits_policy_key PRIMARY KEY (org_id, id)
);

CREATE TABLE credits_policy_class (
    org_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    class TEXT NOT NULL,
    CONSTRAINT credits_policy_class_key PRIMARY KEY (org_id, policy_id, class),
    CONSTRAINT credits_policy_class_named CHECK ('+' || policy_id || '+' LIKE '%+' || class || '+%'),
    CONSTRAINT credits_policy_class_known CHECK (class IN ('pubmed', 'crossref', 'guideline', 'provider_attested')),
    CONSTRAINT credits_policy_class_policy FOREIGN KEY (org_id, policy_id) REFERENCES credits_policy (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Link 2: the designation. It comes before anybody may begin.
CREATE TABLE credits_offer (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    credit_type TEXT NOT NULL,
    activity_title TEXT NOT NULL,
    activity_format TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    designated_quarters BIGINT NOT NULL,
    opens_at BIGINT NOT NULL,
    terminates_at BIGINT NOT NULL,
    evaluation_required BOOLEAN NOT NULL,
    minimum_level BIGINT NOT NULL,
    accreditation_id TEXT NOT NULL,
    accreditation_from BIGINT NOT NULL,
    accreditation_until BIGINT NOT NULL,
    accreditation_statement TEXT NOT NULL,
    designation_statement TEXT NOT NULL,
    statements_sha256 TEXT NOT NULL,
    rules TEXT NOT NULL,
    designated_by TEXT NOT NULL,
    designated_at BIGINT NOT NULL,
    CONSTRAINT credits_offer_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_offer_terms UNIQUE (org_id, id, program_id, credit_type, policy_id, designated_quarters, opens_at, terminates_at, evaluation_required, minimum_level, accreditation_from, accreditation_until),
    CONSTRAINT credits_offer_quarters CHECK (designated_quarters > 0 AND designated_quarters <= 400 AND designated_quarters = CAST(designated_quarters AS BIGINT)),
    CONSTRAINT credits_offer_not_retroactive CHECK (designated_at <= opens_at),
    CONSTRAINT credits_offer_window CHECK (opens_at < terminates_at),
    CONSTRAINT credits_offer_within_accreditation CHECK (opens_at >= accreditation_from AND opens_at < accreditation_until),
    CONSTRAINT credits_offer_level CHECK (minimum_level BETWEEN 0 AND 3),
    CONSTRAINT credits_offer_of_program FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_offer_policy FOREIGN KEY (org_id, policy_id) REFERENCES credits_policy (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_offer_accreditation FOREIGN KEY (org_id, accreditation_id, accreditation_from, accreditation_until) REFERENCES credits_accreditation (org_id, id, valid_from, valid_until) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- What a profession receives under an offer: the credit itself, or a certificate of participation.
CREATE TABLE credits_recognition (
    org_id TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    profession TEXT NOT NULL,
    recognition TEXT NOT NULL,
    CONSTRAINT credits_recognition_key PRIMARY KEY (org_id, offer_id, profession),
    CONSTRAINT credits_recognition_of_profession UNIQUE (org_id, offer_id, profession, recognition),
    CONSTRAINT credits_recognition_known CHECK (recognition IN ('credit', 'participation')),
    CONSTRAINT credits_recognition_offer FOREIGN KEY (org_id, offer_id) REFERENCES credits_offer (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- The item bank. A version never changes; a better one is a new version.
CREATE TABLE credits_item_version (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    program_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    difficulty TEXT NOT NULL,
    stem TEXT NOT NULL,
    explanation TEXT NOT NULL,
    options BIGINT NOT NULL,
    origin TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    CONSTRAINT credits_item_version_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_item_version_number UNIQUE (org_id, item_id, number),
    CONSTRAINT credits_item_version_author UNIQUE (org_id, id, author),
    CONSTRAINT credits_item_version_source UNIQUE (org_id, id, source_version_id, program_id),
    CONSTRAINT credits_item_version_options UNIQUE (org_id, id, options),
    CONSTRAINT credits_item_version_difficulty CHECK (difficulty IN ('easy', 'moderate', 'hard')),
    CONSTRAINT credits_item_version_origin CHECK (origin IN ('extractive', 'hand')),
    CONSTRAINT credits_item_version_option_count CHECK ((kind = 'true_false' AND options = 2) OR (kind = 'multiple_choice' AND options BETWEEN 3 AND 6)),
    CONSTRAINT credits_item_version_of_source FOREIGN KEY (org_id, program_id, source_id, source_version_id) REFERENCES ingestion_source_version (org_id, program_id, source_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credits_item_version_of_program ON credits_item_version (org_id, program_id, id);

CREATE TABLE credits_item_option (
    org_id TEXT NOT NULL,
    item_version_id TEXT NOT NULL,
    option BIGINT NOT NULL,
    options BIGINT NOT NULL,
    text TEXT NOT NULL,
    correct BIGINT NOT NULL,
    CONSTRAINT credits_item_option_key PRIMARY KEY (org_id, item_version_id, option),
    CONSTRAINT credits_item_option_truth UNIQUE (org_id, item_version_id, option, correct),
    CONSTRAINT credits_item_option_text UNIQUE (org_id, item_version_id, text),
    CONSTRAINT credits_item_option_number CHECK (option BETWEEN 1 AND options),
    CONSTRAINT credits_item_option_right_or_wrong CHECK (correct IN (0, 1)),
    CONSTRAINT credits_item_option_of_item FOREIGN KEY (org_id, item_version_id, options) REFERENCES credits_item_version (org_id, id, options) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- One right answer.
CREATE UNIQUE INDEX credits_item_option_one_key ON credits_item_option (org_id, item_version_id) WHERE correct = 1;

-- The passages an item is bound to.
CREATE TABLE credits_item_passage (
    org_id TEXT NOT NULL,
    item_version_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    source_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    quote TEXT NOT NULL,
    CONSTRAINT credits_item_passage_key PRIMARY KEY (org_id, item_version_id, ordinal),
    CONSTRAINT credits_item_passage_item FOREIGN KEY (org_id, item_version_id, source_version_id, program_id) REFERENCES credits_item_version (org_id, id, source_version_id, program_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_item_passage_passage FOREIGN KEY (org_id, source_version_id, ordinal, passage_id) REFERENCES ingestion_passage (org_id, source_version_id, ordinal, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Link 5: a named human's decision. The author is part of the key it refers to, so the check holds for the real one.
CREATE TABLE credits_item_decision (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    item_version_id TEXT NOT NULL,
    author TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    approved BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    CONSTRAINT credits_item_decision_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_item_decision_once UNIQUE (org_id, item_version_id),
    CONSTRAINT credits_item_decision_outcome UNIQUE (org_id, id, item_version_id, approved),
    CONSTRAINT credits_item_decision_author_is_not_reviewer CHECK (reviewer <> author),
    CONSTRAINT credits_item_decision_item FOREIGN KEY (org_id, item_version_id, author) REFERENCES credits_item_version (org_id, id, author) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- A frozen quiz: which items in which order, at which threshold, how often.
CREATE TABLE credits_form (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    policy_id TEXT NOT NULL,
    threshold BIGINT NOT NULL,
    items BIGINT NOT NULL,
    most_attempts BIGINT NOT NULL,
    content_verified_at BIGINT NOT NULL,
    leaderboard BOOLEAN NOT NULL,
    sha256 TEXT NOT NULL,
    frozen_by TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    CONSTRAINT credits_form_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_form_number UNIQUE (org_id, program_id, number),
    CONSTRAINT credits_form_program UNIQUE (org_id, id, program_id),
    CONSTRAINT credits_form_items UNIQUE (org_id, id, items),
    CONSTRAINT credits_form_policy UNIQUE (org_id, id, program_id, policy_id, content_verified_at),
    CONSTRAINT credits_form_terms UNIQUE (org_id, id, program_id, policy_id, threshold, items, most_attempts, content_verified_at, frozen_at),
    CONSTRAINT credits_form_threshold CHECK (threshold BETWEEN 1 AND 100 AND threshold = CAST(threshold AS BIGINT)),
    CONSTRAINT credits_form_item_count CHECK (items BETWEEN 1 AND 100 AND items = CAST(items AS BIGINT)),
    CONSTRAINT credits_form_most_attempts CHECK (most_attempts BETWEEN 0 AND 100),
    CONSTRAINT credits_form_content_first CHECK (content_verified_at <= frozen_at),
    CONSTRAINT credits_form_of_program FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_form_of_policy FOREIGN KEY (org_id, policy_id) REFERENCES credits_policy (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Link 4: every source a form asks about, bound to the event that verified it, in a class that the policy accepts.
CREATE TABLE credits_form_source (
    org_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    content_verified_at BIGINT NOT NULL,
    verification_id TEXT NOT NULL,
    class TEXT NOT NULL,
    counts BOOLEAN NOT NULL,
    verified_at BIGINT NOT NULL,
    CONSTRAINT credits_form_source_key PRIMARY KEY (org_id, form_id, source_version_id),
    CONSTRAINT credits_form_source_counts CHECK (counts),
    CONSTRAINT credits_form_source_verified_first CHECK (verified_at <= content_verified_at),
    CONSTRAINT credits_form_source_form FOREIGN KEY (org_id, form_id, program_id, policy_id, content_verified_at) REFERENCES credits_form (org_id, id, program_id, policy_id, content_verified_at) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_form_source_class FOREIGN KEY (org_id, policy_id, class) REFERENCES credits_policy_class (org_id, policy_id, class) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_form_source_verification FOREIGN KEY (org_id, verification_id, program_id, source_version_id, class, counts, verified_at) REFERENCES ingestion_verification (org_id, id, program_id, source_version_id, class, counts, verified_at) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE TABLE credits_form_item (
    org_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    items BIGINT NOT NULL,
    item_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    approved BOOLEAN NOT NULL,
    CONSTRAINT credits_form_item_key PRIMARY KEY (org_id, form_id, position),
    CONSTRAINT credits_form_item_once UNIQUE (org_id, form_id, item_version_id),
    CONSTRAINT credits_form_item_place UNIQUE (org_id, form_id, position, item_version_id),
    CONSTRAINT credits_form_item_position CHECK (position BETWEEN 1 AND items AND position = CAST(position AS BIGINT)),
    CONSTRAINT credits_form_item_approved CHECK (approved),
    CONSTRAINT credits_form_item_form FOREIGN KEY (org_id, form_id, items) REFERENCES credits_form (org_id, id, items) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_form_item_source FOREIGN KEY (org_id, form_id, source_version_id) REFERENCES credits_form_source (org_id, form_id, source_version_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_form_item_item FOREIGN KEY (org_id, item_version_id, source_version_id, program_id) REFERENCES credits_item_version (org_id, id, source_version_id, program_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_form_item_decision FOREIGN KEY (org_id, decision_id, item_version_id, approved) REFERENCES credits_item_decision (org_id, id, item_version_id, approved) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- The form that learners get. Opening another one, or closing, is one step.
CREATE TABLE credits_open_form (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    CONSTRAINT credits_open_form_key PRIMARY KEY (org_id, program_id),
    CONSTRAINT credits_open_form_form FOREIGN KEY (org_id, form_id, program_id) REFERENCES credits_form (org_id, id, program_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Link 6: an attempt, at the threshold that the learner was shown.
CREATE TABLE credits_attempt (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    threshold BIGINT NOT NULL,
    items BIGINT NOT NULL,
    most_attempts BIGINT NOT NULL,
    content_verified_at BIGINT NOT NULL,
    frozen_at BIGINT NOT NULL,
    learner TEXT NOT NULL,
    number BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    CONSTRAINT credits_attempt_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_attempt_number UNIQUE (org_id, form_id, learner, number),
    CONSTRAINT credits_attempt_form UNIQUE (org_id, id, form_id),
    CONSTRAINT credits_attempt_terms UNIQUE (org_id, id, form_id, program_id, policy_id, threshold, items, content_verified_at, learner, started_at),
    CONSTRAINT credits_attempt_within_retakes CHECK (number >= 1 AND (most_attempts = 0 OR number <= most_attempts)),
    CONSTRAINT credits_attempt_after_freeze CHECK (started_at >= frozen_at),
    CONSTRAINT credits_attempt_of_form FOREIGN KEY (org_id, form_id, program_id, policy_id, threshold, items, most_attempts, content_verified_at, frozen_at) REFERENCES credits_form (org_id, id, program_id, policy_id, threshold, items, most_attempts, content_verified_at, frozen_at) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credits_attempt_of_learner ON credits_attempt (org_id, program_id, learner, id);

-- What a learner has chosen so far. Gone when the attempt is submitted.
CREATE TABLE credits_draft (
    org_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    option BIGINT NOT NULL,
    CONSTRAINT credits_draft_key PRIMARY KEY (org_id, attempt_id, position),
    CONSTRAINT credits_draft_attempt FOREIGN KEY (org_id, attempt_id) REFERENCES credits_attempt (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- The answers of a submitted attempt. Each row adds itself to the sum before it and refers to that row, so that the
-- last one holds the number of right answers and nobody has to be trusted with counting.
CREATE TABLE credits_answer (
    org_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    form_id TEXT NOT NULL,
    item_version_id TEXT NOT NULL,
    option BIGINT NOT NULL,
    correct BIGINT NOT NULL,
    previous BIGINT NOT NULL,
    previous_right BIGINT NOT NULL,
    right_so_far BIGINT NOT NULL,
    CONSTRAINT credits_answer_key PRIMARY KEY (org_id, attempt_id, position),
    CONSTRAINT credits_answer_sum UNIQUE (org_id, attempt_id, position, right_so_far),
    CONSTRAINT credits_answer_adds_up CHECK ((position = 1 AND previous = 1 AND right_so_far = correct AND previous_right = right_so_far) OR (position > 1 AND previous = position - 1 AND right_so_far = previous_right + correct)),
    CONSTRAINT credits_answer_attempt FOREIGN KEY (org_id, attempt_id, form_id) REFERENCES credits_attempt (org_id, id, form_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_answer_item FOREIGN KEY (org_id, form_id, position, item_version_id) REFERENCES credits_form_item (org_id, form_id, position, item_version_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_answer_truth FOREIGN KEY (org_id, item_version_id, option, correct) REFERENCES credits_item_option (org_id, item_version_id, option, correct) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_answer_previous FOREIGN KEY (org_id, attempt_id, previous, previous_right) REFERENCES credits_answer (org_id, attempt_id, position, right_so_far) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE TABLE credits_result (
    org_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    threshold BIGINT NOT NULL,
    items BIGINT NOT NULL,
    content_verified_at BIGINT NOT NULL,
    learner TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    completed_at BIGINT NOT NULL,
    right_answers BIGINT NOT NULL,
    passed BOOLEAN NOT NULL,
    CONSTRAINT credits_result_key PRIMARY KEY (org_id, attempt_id),
    CONSTRAINT credits_result_facts UNIQUE (org_id, attempt_id, form_id, program_id, policy_id, content_verified_at, learner, started_at, completed_at, passed),
    CONSTRAINT credits_result_passed_at_threshold CHECK (passed = (right_answers * 100 >= threshold * items)),
    CONSTRAINT credits_result_takes_time CHECK (completed_at >= started_at),
    CONSTRAINT credits_result_attempt FOREIGN KEY (org_id, attempt_id, form_id, program_id, policy_id, threshold, items, content_verified_at, learner, started_at) REFERENCES credits_attempt (org_id, id, form_id, program_id, policy_id, threshold, items, content_verified_at, learner, started_at) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_result_is_counted FOREIGN KEY (org_id, attempt_id, items, right_answers) REFERENCES credits_answer (org_id, attempt_id, position, right_so_far) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Link 7: what the learner said about the activity.
CREATE TABLE credits_evaluation (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    responses TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    CONSTRAINT credits_evaluation_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_evaluation_once UNIQUE (org_id, program_id, learner),
    CONSTRAINT credits_evaluation_giver UNIQUE (org_id, id, program_id, learner),
    CONSTRAINT credits_evaluation_program FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Awards and voids of one learner, program and credit type take turns: every entry follows the one before it, and a
-- void names the award that it ends. So at most one award is live, and nothing is ever changed or taken away.
CREATE TABLE credits_ledger (
    org_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    program_id TEXT NOT NULL,
    credit_type TEXT NOT NULL,
    entry BIGINT NOT NULL,
    kind TEXT NOT NULL,
    award_id TEXT NOT NULL,
    previous BIGINT,
    previous_award_id TEXT,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    CONSTRAINT credits_ledger_one_live PRIMARY KEY (org_id, learner, program_id, credit_type, entry),
    CONSTRAINT credits_ledger_entry UNIQUE (org_id, learner, program_id, credit_type, entry, kind, award_id),
    CONSTRAINT credits_ledger_award UNIQUE (org_id, learner, program_id, credit_type, entry, award_id),
    CONSTRAINT credits_ledger_once UNIQUE (org_id, award_id, kind),
    CONSTRAINT credits_ledger_takes_turns CHECK ((kind = 'award' AND entry % 2 = 1) OR (kind = 'void' AND entry % 2 = 0)),
    CONSTRAINT credits_ledger_in_sequence CHECK ((entry = 1 AND previous IS NULL AND previous_award_id IS NULL) OR (entry > 1 AND previous IS NOT NULL AND previous_award_id IS NOT NULL AND previous = entry - 1)),
    CONSTRAINT credits_ledger_voids_the_live_one CHECK (kind = 'award' OR award_id = previous_award_id),
    CONSTRAINT credits_ledger_void_has_reason CHECK (kind = 'award' OR length(reason) BETWEEN 1 AND 2000),
    CONSTRAINT credits_ledger_previous FOREIGN KEY (org_id, learner, program_id, credit_type, previous, previous_award_id) REFERENCES credits_ledger (org_id, learner, program_id, credit_type, entry, award_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Link 9: the award, which has its entry in the ledger.
CREATE TABLE credits_award (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    learner TEXT NOT NULL,
    program_id TEXT NOT NULL,
    credit_type TEXT NOT NULL,
    entry BIGINT NOT NULL,
    entry_kind TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    designated_quarters BIGINT NOT NULL,
    opens_at BIGINT NOT NULL,
    terminates_at BIGINT NOT NULL,
    evaluation_required BOOLEAN NOT NULL,
    minimum_level BIGINT NOT NULL,
    accreditation_from BIGINT NOT NULL,
    accreditation_until BIGINT NOT NULL,
    attempt_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    content_verified_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    quiz_completed_at BIGINT NOT NULL,
    passed BOOLEAN NOT NULL,
    evaluation_id TEXT,
    assertion_id TEXT NOT NULL,
    profession TEXT NOT NULL,
    level BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    recognition TEXT NOT NULL,
    quarters BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    CONSTRAINT credits_award_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_award_entry_kind CHECK (entry_kind = 'award'),
    CONSTRAINT credits_award_quarters CHECK (quarters > 0 AND quarters = CAST(quarters AS BIGINT)),
    CONSTRAINT credits_award_within_designation CHECK (quarters <= designated_quarters),
    CONSTRAINT credits_award_passed CHECK (passed),
    CONSTRAINT credits_award_designated_before_start CHECK (started_at >= opens_at),
    CONSTRAINT credits_award_before_termination CHECK (quiz_completed_at <= terminates_at AND issued_at <= terminates_at),
    CONSTRAINT credits_award_after_completion CHECK (issued_at >= quiz_completed_at),
    CONSTRAINT credits_award_while_accredited CHECK (quiz_completed_at >= accreditation_from AND quiz_completed_at < accreditation_until),
    CONSTRAINT credits_award_evaluated CHECK (evaluation_id IS NOT NULL OR NOT evaluation_required),
    CONSTRAINT credits_award_assured CHECK (level >= minimum_level),
    CONSTRAINT credits_award_credential_valid_at_completion CHECK (valid_from <= quiz_completed_at AND quiz_completed_at < valid_until),
    CONSTRAINT credits_award_offer FOREIGN KEY (org_id, offer_id, program_id, credit_type, policy_id, designated_quarters, opens_at, terminates_at, evaluation_required, minimum_level, accreditation_from, accreditation_until) REFERENCES credits_offer (org_id, id, program_id, credit_type, policy_id, designated_quarters, opens_at, terminates_at, evaluation_required, minimum_level, accreditation_from, accreditation_until) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_award_result FOREIGN KEY (org_id, attempt_id, form_id, program_id, policy_id, content_verified_at, learner, started_at, quiz_completed_at, passed) REFERENCES credits_result (org_id, attempt_id, form_id, program_id, policy_id, content_verified_at, learner, started_at, completed_at, passed) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_award_evaluation FOREIGN KEY (org_id, evaluation_id, program_id, learner) REFERENCES credits_evaluation (org_id, id, program_id, learner) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_award_credential FOREIGN KEY (org_id, assertion_id, learner, profession, level, valid_from, valid_until) REFERENCES credentials_assertion (org_id, id, learner, profession, level, valid_from, valid_until) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_award_recognition FOREIGN KEY (org_id, offer_id, profession, recognition) REFERENCES credits_recognition (org_id, offer_id, profession, recognition) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_award_ledger FOREIGN KEY (org_id, learner, program_id, credit_type, entry, entry_kind, id) REFERENCES credits_ledger (org_id, learner, program_id, credit_type, entry, kind, award_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credits_award_of_learner ON credits_award (org_id, learner, id);
CREATE INDEX credits_award_of_form ON credits_award (org_id, form_id);

-- Remarks that leave a credit valid: a source was retracted after it was earned, for instance.
CREATE TABLE credits_annotation (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    award_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    text TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    CONSTRAINT credits_annotation_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_annotation_once UNIQUE (org_id, award_id, verification_id),
    CONSTRAINT credits_annotation_award FOREIGN KEY (org_id, award_id) REFERENCES credits_award (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credits_annotation_verification FOREIGN KEY (org_id, verification_id) REFERENCES ingestion_verification (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Sources that lost their standing: a form that asks about one takes no new attempts.
CREATE TABLE credits_suspension (
    org_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    suspended_at BIGINT NOT NULL,
    CONSTRAINT credits_suspension_key PRIMARY KEY (org_id, source_version_id),
    CONSTRAINT credits_suspension_verification FOREIGN KEY (org_id, verification_id) REFERENCES ingestion_verification (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- A certificate: what was signed, sealed under the learner's data key, and where its proof is.
CREATE TABLE credits_certificate (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    award_id TEXT NOT NULL,
    code TEXT NOT NULL,
    signing_key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    credential_sha256 TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    issued_at BIGINT NOT NULL,
    CONSTRAINT credits_certificate_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_certificate_once UNIQUE (org_id, award_id),
    CONSTRAINT credits_certificate_code UNIQUE (org_id, code),
    CONSTRAINT credits_certificate_award FOREIGN KEY (org_id, award_id) REFERENCES credits_award (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- The file that hangs on the wall, once the log proves the award.
CREATE TABLE credits_certificate_file (
    org_id TEXT NOT NULL,
    certificate_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sha256 TEXT NOT NULL,
    leaf_index BIGINT NOT NULL,
    rendered_at BIGINT NOT NULL,
    CONSTRAINT credits_certificate_file_key PRIMARY KEY (org_id, certificate_id),
    CONSTRAINT credits_certificate_file_certificate FOREIGN KEY (org_id, certificate_id) REFERENCES credits_certificate (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);
