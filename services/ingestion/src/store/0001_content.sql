CREATE TABLE ingestion_program (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    summary TEXT NOT NULL,
    -- Raised on every change; the ETag of the API.
    revision BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    withdrawn BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE ingestion_objective (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    id TEXT NOT NULL,
    position BIGINT NOT NULL,
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE TABLE ingestion_source (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    external_id TEXT,
    created_at BIGINT NOT NULL,
    newest_version_id TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, program_id, id),
    UNIQUE (org_id, program_id, external_id),
    FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE TABLE ingestion_source_version (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    title TEXT NOT NULL,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    author TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('extracting', 'failed', 'draft', 'in_review', 'approved', 'rejected')),
    problem_code TEXT NOT NULL DEFAULT '',
    problem_message TEXT NOT NULL DEFAULT '',
    notes TEXT NOT NULL DEFAULT '[]',
    pages BIGINT NOT NULL DEFAULT 0,
    passages BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    submitted_at BIGINT,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, source_id, number),
    UNIQUE (org_id, id, author),
    UNIQUE (org_id, program_id, source_id, id),
    FOREIGN KEY (org_id, program_id, source_id) REFERENCES ingestion_source (org_id, program_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX ingestion_source_version_extracting ON ingestion_source_version (org_id, id) WHERE state = 'extracting';

CREATE TABLE ingestion_passage (
    org_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    id TEXT NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    start_byte BIGINT NOT NULL,
    end_byte BIGINT NOT NULL CHECK (end_byte > start_byte),
    locator TEXT NOT NULL,
    sentences TEXT NOT NULL,
    cues TEXT NOT NULL,
    PRIMARY KEY (org_id, source_version_id, ordinal),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, source_version_id) REFERENCES ingestion_source_version (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- A decision is an event: it never changes. The author is part of the key it refers to, so that the check below holds
-- for the real author and not for a claimed one.
CREATE TABLE ingestion_approval (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    author TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    approved BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, source_version_id),
    UNIQUE (org_id, id, source_version_id, approved),
    FOREIGN KEY (org_id, source_version_id, author) REFERENCES ingestion_source_version (org_id, id, author) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT ingestion_approval_author_is_not_reviewer CHECK (reviewer <> author)
);

CREATE TABLE ingestion_program_version (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    title TEXT NOT NULL,
    app_id TEXT NOT NULL,
    passages BIGINT NOT NULL,
    frozen_by TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, program_id, id),
    UNIQUE (org_id, program_id, number),
    FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Only approved source versions can be part of a program version: the reference carries the status it relies on.
CREATE TABLE ingestion_program_version_source (
    org_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    approval_id TEXT NOT NULL,
    approved BOOLEAN NOT NULL,
    PRIMARY KEY (org_id, program_version_id, source_id),
    FOREIGN KEY (org_id, program_id, program_version_id) REFERENCES ingestion_program_version (org_id, program_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    FOREIGN KEY (org_id, program_id, source_id, source_version_id) REFERENCES ingestion_source_version (org_id, program_id, source_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    FOREIGN KEY (org_id, approval_id, source_version_id, approved) REFERENCES ingestion_approval (org_id, id, source_version_id, approved) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT ingestion_program_version_source_is_approved CHECK (approved)
);

CREATE TABLE ingestion_program_version_objective (
    org_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    objective_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (org_id, program_version_id, objective_id),
    FOREIGN KEY (org_id, program_version_id) REFERENCES ingestion_program_version (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- What learners see. Withdrawing is deleting the row: one step, visible at once.
CREATE TABLE ingestion_published (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, program_id),
    FOREIGN KEY (org_id, program_id, program_version_id) REFERENCES ingestion_program_version (org_id, program_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- The version whose index is being built, and how far it is.
CREATE TABLE ingestion_pending (
    org_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (org_id, program_id),
    FOREIGN KEY (org_id, program_id, program_version_id) REFERENCES ingestion_program_version (org_id, program_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE TABLE ingestion_publication (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    act TEXT NOT NULL CHECK (act IN ('published', 'withdrawn')),
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, program_id, program_version_id) REFERENCES ingestion_program_version (org_id, program_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);
