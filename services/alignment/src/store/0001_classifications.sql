-- One classification per message; an empty objective means that it fits none.
CREATE TABLE alignment_classification (
    org_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    objective_id TEXT NOT NULL,
    objective_text TEXT NOT NULL,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    about_program REAL NOT NULL CHECK (about_program BETWEEN 0 AND 1),
    classifier TEXT NOT NULL,
    classified_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, message_id)
);

CREATE INDEX alignment_classification_of_program ON alignment_classification (org_id, program_id, message_id);
