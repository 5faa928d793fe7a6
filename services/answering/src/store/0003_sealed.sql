-- Words of learners are sealed, each under a key of the learner; this is that key, wrapped under a key of the org.
CREATE TABLE answering_key (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, subject)
);

ALTER TABLE answering_feedback ADD COLUMN sealed BYTEA;
ALTER TABLE answering_feedback DROP COLUMN comment;
