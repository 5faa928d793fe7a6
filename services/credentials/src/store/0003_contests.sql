-- Two people who say that they are the same clinician. Until it is decided whose number or licence it is, neither gets
-- anything by it; a decision names the one who was upheld, or nobody.
ALTER TABLE credentials_clinician ADD COLUMN licence_index TEXT NOT NULL DEFAULT '';

CREATE INDEX credentials_clinician_of_licence ON credentials_clinician (org_id, licence_index);

CREATE TABLE credentials_contest (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    about TEXT NOT NULL,
    identity TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    upheld TEXT,
    wrapped_key BYTEA,
    sealed BYTEA,
    decided_by TEXT,
    decided_at BIGINT,
    CONSTRAINT credentials_contest_key PRIMARY KEY (org_id, id),
    CONSTRAINT credentials_contest_about CHECK (about IN ('npi', 'licence')),
    CONSTRAINT credentials_contest_decided CHECK ((decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (sealed IS NULL) AND (upheld IS NULL OR decided_at IS NOT NULL))
);

-- One at a time about the same number or licence.
CREATE UNIQUE INDEX credentials_contest_open ON credentials_contest (org_id, about, identity) WHERE decided_at IS NULL;

CREATE TABLE credentials_contest_party (
    org_id TEXT NOT NULL,
    contest_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    told_at BIGINT,
    CONSTRAINT credentials_contest_party_key PRIMARY KEY (org_id, contest_id, learner),
    CONSTRAINT credentials_contest_party_contest FOREIGN KEY (org_id, contest_id) REFERENCES credentials_contest (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT credentials_contest_party_clinician FOREIGN KEY (org_id, learner) REFERENCES credentials_clinician (org_id, learner) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credentials_contest_party_of_learner ON credentials_contest_party (org_id, learner);
