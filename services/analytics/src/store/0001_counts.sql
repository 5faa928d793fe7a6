CREATE TABLE analytics_count (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    measure TEXT NOT NULL CHECK (measure IN ('outcome', 'refusal', 'objective', 'citation')),
    key TEXT NOT NULL,
    count BIGINT NOT NULL CHECK (count > 0),
    PRIMARY KEY (org_id, program_id, measure, key)
);

-- Pseudonyms, only to count them.
CREATE TABLE analytics_learner (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (org_id, program_id, subject)
);
