-- Who a learner is as a clinician. The fields that name a person are sealed under a key of that person.
CREATE TABLE credentials_clinician (
    org_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    profession TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    npi_index TEXT NOT NULL,
    email_verified_at BIGINT,
    statement BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT credentials_clinician_key PRIMARY KEY (org_id, learner)
);

CREATE INDEX credentials_clinician_of_npi ON credentials_clinician (org_id, npi_index);

-- Who a learner said to be, each time it was somebody else or another licence: what is checked is checked of one of these.
-- It is not closed to changes, since what names a person has to be erasable.
CREATE TABLE credentials_statement (
    org_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    number BIGINT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    stated_at BIGINT NOT NULL,
    CONSTRAINT credentials_statement_key PRIMARY KEY (org_id, learner, number),
    CONSTRAINT credentials_statement_clinician FOREIGN KEY (org_id, learner) REFERENCES credentials_clinician (org_id, learner) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- A code sent to an address. The hash covers the address, so a code proves only the address it went to.
CREATE TABLE credentials_email_challenge (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    learner TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    wrong_tries BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    CONSTRAINT credentials_email_challenge_key PRIMARY KEY (org_id, id),
    CONSTRAINT credentials_email_challenge_clinician FOREIGN KEY (org_id, learner) REFERENCES credentials_clinician (org_id, learner) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credentials_email_challenge_of_learner ON credentials_email_challenge (org_id, learner, sent_at);

-- Every check, whatever came of it.
CREATE TABLE credentials_check (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    learner TEXT NOT NULL,
    statement BIGINT NOT NULL,
    method TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    evidence_sha256 TEXT NOT NULL,
    actor TEXT NOT NULL,
    checked_at BIGINT NOT NULL,
    CONSTRAINT credentials_check_key PRIMARY KEY (org_id, id),
    CONSTRAINT credentials_check_passed UNIQUE (org_id, id, learner, outcome),
    CONSTRAINT credentials_check_of_statement UNIQUE (org_id, id, learner, statement, outcome),
    CONSTRAINT credentials_check_method CHECK (method IN ('email', 'attestation', 'npi_check_digit', 'npi_registry', 'primary_source')),
    CONSTRAINT credentials_check_outcome CHECK (outcome IN ('passed', 'failed')),
    CONSTRAINT credentials_check_statement FOREIGN KEY (org_id, learner, statement) REFERENCES credentials_statement (org_id, learner, number) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- What is known of a clinician after a check: a profession, how surely, and from when until when it holds. It never
-- changes; what is learned later is a later row. It rests on a verified address and on the check that carries its level,
-- which was made of the same statement.
CREATE TABLE credentials_assertion (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    learner TEXT NOT NULL,
    statement BIGINT NOT NULL,
    profession TEXT NOT NULL,
    level BIGINT NOT NULL,
    email_check_id TEXT NOT NULL,
    check_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    asserted_at BIGINT NOT NULL,
    CONSTRAINT credentials_assertion_key PRIMARY KEY (org_id, id),
    CONSTRAINT credentials_assertion_facts UNIQUE (org_id, id, learner, profession, level, valid_from, valid_until),
    CONSTRAINT credentials_assertion_level CHECK (level BETWEEN 0 AND 3),
    CONSTRAINT credentials_assertion_lasts CHECK (valid_from < valid_until),
    CONSTRAINT credentials_assertion_passed CHECK (outcome = 'passed'),
    CONSTRAINT credentials_assertion_email FOREIGN KEY (org_id, email_check_id, learner, outcome) REFERENCES credentials_check (org_id, id, learner, outcome) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credentials_assertion_check FOREIGN KEY (org_id, check_id, learner, statement, outcome) REFERENCES credentials_check (org_id, id, learner, statement, outcome) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credentials_check_of_learner ON credentials_check (org_id, learner, checked_at);
CREATE INDEX credentials_assertion_of_learner ON credentials_assertion (org_id, learner, asserted_at);
