-- What staff saw when they looked something up, in their own words: it names people, so it is sealed and can be erased.
-- The check that it belongs to keeps its hash and never changes.
CREATE TABLE credentials_evidence (
    org_id TEXT NOT NULL,
    check_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    CONSTRAINT credentials_evidence_key PRIMARY KEY (org_id, check_id),
    CONSTRAINT credentials_evidence_check FOREIGN KEY (org_id, check_id) REFERENCES credentials_check (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credentials_evidence_of_learner ON credentials_evidence (org_id, learner);
