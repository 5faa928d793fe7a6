CREATE TABLE answering_session (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, id, program_id, subject)
);

-- What was asked and answered. The record is the contract's message, encoded once; the columns beside it are for finding it.
CREATE TABLE answering_message (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (org_id, id),
    -- A message stays in the conversation, the program and the learner that it began with.
    FOREIGN KEY (org_id, session_id, program_id, subject) REFERENCES answering_session (org_id, id, program_id, subject)
);

CREATE INDEX answering_message_of_program ON answering_message (org_id, program_id, id);

CREATE TABLE answering_feedback (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    helpful BOOLEAN NOT NULL,
    comment TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, message_id) REFERENCES answering_message (org_id, id)
);

CREATE INDEX answering_feedback_of_message ON answering_feedback (org_id, message_id, id);
