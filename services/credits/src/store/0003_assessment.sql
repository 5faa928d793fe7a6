-- Who may take a quiz, whose name a certificate carries, and what stands on its sheet.

-- What a person did with the quizzes of a program, in sequence: saw what the right answers are, began an attempt,
-- submitted it. Every entry carries whether the key was seen by then and refers to the one before, so that nobody begins
-- or submits who has seen the key.
CREATE TABLE credits_taking (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    entry BIGINT NOT NULL,
    kind TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    key_seen BOOLEAN NOT NULL,
    previous BIGINT NOT NULL,
    previous_key_seen BOOLEAN NOT NULL,
    noted_at BIGINT NOT NULL,
    CONSTRAINT credits_taking_key PRIMARY KEY (org_id, program_id, learner, entry),
    CONSTRAINT credits_taking_so_far UNIQUE (org_id, program_id, learner, entry, key_seen),
    CONSTRAINT credits_taking_of_attempt UNIQUE (org_id, attempt_id, program_id, learner, kind, key_seen),
    CONSTRAINT credits_taking_kind CHECK (kind IN ('saw_key', 'began', 'submitted')),
    CONSTRAINT credits_taking_carries_on CHECK ((entry = 1 AND previous = 1 AND previous_key_seen = key_seen AND key_seen = (kind = 'saw_key')) OR (entry > 1 AND previous = entry - 1 AND key_seen = (previous_key_seen OR kind = 'saw_key'))),
    CONSTRAINT credits_taking_without_the_key CHECK (kind = 'saw_key' OR NOT key_seen),
    CONSTRAINT credits_taking_previous FOREIGN KEY (org_id, program_id, learner, previous, previous_key_seen) REFERENCES credits_taking (org_id, program_id, learner, entry, key_seen) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- What is there already: the owner reads across orgs for once.
ALTER TABLE credits_attempt NO FORCE ROW LEVEL SECURITY;

ALTER TABLE credits_result NO FORCE ROW LEVEL SECURITY;

ALTER TABLE credits_item_version NO FORCE ROW LEVEL SECURITY;

ALTER TABLE credits_item_decision NO FORCE ROW LEVEL SECURITY;

INSERT INTO credits_taking (org_id, program_id, learner, entry, kind, attempt_id, key_seen, previous, previous_key_seen, noted_at)
SELECT org_id, program_id, learner, entry, kind, attempt_id, FALSE, CASE WHEN entry = 1 THEN 1 ELSE entry - 1 END, FALSE, noted_at
FROM (
    SELECT org_id, program_id, learner, kind, attempt_id, noted_at,
        ROW_NUMBER() OVER (PARTITION BY org_id, program_id, learner ORDER BY noted_at, attempt_id, kind) AS entry
    FROM (
        SELECT org_id, program_id, learner, 'began' AS kind, id AS attempt_id, started_at AS noted_at FROM credits_attempt
        UNION ALL
        SELECT org_id, program_id, learner, 'submitted' AS kind, attempt_id, completed_at AS noted_at FROM credits_result
    ) AS acts
) AS entries;

-- Who made items or decided on them has seen their key. Those who took the quiz all the same keep what they have.
INSERT INTO credits_taking (org_id, program_id, learner, entry, kind, attempt_id, key_seen, previous, previous_key_seen, noted_at)
SELECT org_id, program_id, learner, 1, 'saw_key', '', TRUE, 1, TRUE, MIN(noted_at)
FROM (
    SELECT org_id, program_id, author AS learner, created_at AS noted_at FROM credits_item_version
    UNION ALL
    SELECT v.org_id, v.program_id, d.reviewer AS learner, d.decided_at AS noted_at
    FROM credits_item_decision AS d JOIN credits_item_version AS v ON v.org_id = d.org_id AND v.id = d.item_version_id
) AS readers
WHERE NOT EXISTS (
    SELECT 1 FROM credits_attempt AS a
    WHERE a.org_id = readers.org_id AND a.program_id = readers.program_id AND a.learner = readers.learner
)
GROUP BY org_id, program_id, learner;

ALTER TABLE credits_attempt ADD COLUMN took TEXT NOT NULL DEFAULT 'began';

ALTER TABLE credits_attempt ADD COLUMN key_seen BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE credits_attempt ADD CONSTRAINT credits_attempt_key_unseen CHECK (took = 'began' AND NOT key_seen);

ALTER TABLE credits_attempt ADD CONSTRAINT credits_attempt_taking FOREIGN KEY (org_id, id, program_id, learner, took, key_seen) REFERENCES credits_taking (org_id, attempt_id, program_id, learner, kind, key_seen) ON UPDATE RESTRICT ON DELETE RESTRICT;

ALTER TABLE credits_result ADD COLUMN took TEXT NOT NULL DEFAULT 'submitted';

ALTER TABLE credits_result ADD COLUMN key_seen BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE credits_result ADD CONSTRAINT credits_result_key_unseen CHECK (took = 'submitted' AND NOT key_seen);

ALTER TABLE credits_result ADD CONSTRAINT credits_result_taking FOREIGN KEY (org_id, attempt_id, program_id, learner, took, key_seen) REFERENCES credits_taking (org_id, attempt_id, program_id, learner, kind, key_seen) ON UPDATE RESTRICT ON DELETE RESTRICT;

ALTER TABLE credits_attempt FORCE ROW LEVEL SECURITY;

ALTER TABLE credits_result FORCE ROW LEVEL SECURITY;

ALTER TABLE credits_item_version FORCE ROW LEVEL SECURITY;

ALTER TABLE credits_item_decision FORCE ROW LEVEL SECURITY;

-- What the operator of the deployment found out about an accreditation that a provider recorded. The newest counts.
CREATE TABLE credits_accreditation_decision (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    accreditation_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    confirmed BOOLEAN NOT NULL,
    evidence TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    CONSTRAINT credits_accreditation_decision_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_accreditation_decision_number UNIQUE (org_id, accreditation_id, number),
    CONSTRAINT credits_accreditation_decision_facts UNIQUE (org_id, id, confirmed, valid_from, valid_until),
    CONSTRAINT credits_accreditation_decision_evidence CHECK (length(evidence) BETWEEN 1 AND 2000),
    CONSTRAINT credits_accreditation_decision_on FOREIGN KEY (org_id, accreditation_id, valid_from, valid_until) REFERENCES credits_accreditation (org_id, id, valid_from, valid_until) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- An award keeps what was known of the accreditation when it was made.
ALTER TABLE credits_award ADD COLUMN accreditation_decision TEXT;

ALTER TABLE credits_award ADD COLUMN accreditation_confirmed BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE credits_award ADD CONSTRAINT credits_award_confirmed_by_a_decision CHECK (accreditation_confirmed = (accreditation_decision IS NOT NULL));

ALTER TABLE credits_award ADD CONSTRAINT credits_award_accreditation_decision FOREIGN KEY (org_id, accreditation_decision, accreditation_confirmed, accreditation_from, accreditation_until) REFERENCES credits_accreditation_decision (org_id, id, confirmed, valid_from, valid_until) ON UPDATE RESTRICT ON DELETE RESTRICT;

-- What the sheet of a certificate shows of the provider, and of the activity. Lists are separated by line ends.
ALTER TABLE credits_accreditation ADD COLUMN signatory_name TEXT NOT NULL DEFAULT '';

ALTER TABLE credits_accreditation ADD COLUMN signatory_title TEXT NOT NULL DEFAULT '';

ALTER TABLE credits_accreditation ADD COLUMN logo_type TEXT NOT NULL DEFAULT '';

ALTER TABLE credits_accreditation ADD COLUMN logo BYTEA;

ALTER TABLE credits_offer ADD COLUMN activity_number TEXT NOT NULL DEFAULT '';

ALTER TABLE credits_offer ADD COLUMN released_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE credits_offer ADD COLUMN reviewed_at BIGINT;

ALTER TABLE credits_offer ADD COLUMN joint_providers TEXT NOT NULL DEFAULT '';

ALTER TABLE credits_offer ADD COLUMN moc_statements TEXT NOT NULL DEFAULT '';
