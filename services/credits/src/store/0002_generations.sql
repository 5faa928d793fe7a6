-- Requests for item drafts. Reading a program and comparing its statements takes a while, so whoever asks comes back for
-- the result; a row without an end is work, also after a crash.
CREATE TABLE credits_generation (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    wanted BIGINT NOT NULL,
    kind TEXT NOT NULL,
    difficulty TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    sources_read BIGINT NOT NULL,
    items TEXT NOT NULL,
    note TEXT NOT NULL,
    problem_code TEXT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT credits_generation_key PRIMARY KEY (org_id, id),
    CONSTRAINT credits_generation_state CHECK (state IN ('waiting', 'reading', 'composing', 'done', 'failed')),
    CONSTRAINT credits_generation_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'failed'))),
    CONSTRAINT credits_generation_of_program FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX credits_generation_open ON credits_generation (org_id, id) WHERE ended_at IS NULL;
