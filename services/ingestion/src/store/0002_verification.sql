-- What a registry or a reviewer said about a source version, once. Later verdicts are later rows.
CREATE TABLE ingestion_verification (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    class TEXT NOT NULL,
    pmid TEXT NOT NULL,
    doi TEXT NOT NULL,
    verdict TEXT NOT NULL,
    counts BOOLEAN NOT NULL,
    title TEXT NOT NULL,
    metadata TEXT NOT NULL,
    statement TEXT NOT NULL,
    approval_id TEXT,
    approved BOOLEAN,
    actor TEXT NOT NULL,
    verified_at BIGINT NOT NULL,
    CONSTRAINT ingestion_verification_key PRIMARY KEY (org_id, id),
    CONSTRAINT ingestion_verification_event UNIQUE (org_id, id, program_id, source_version_id, class, counts, verified_at),
    CONSTRAINT ingestion_verification_class CHECK (class IN ('pubmed', 'crossref', 'guideline', 'provider_attested')),
    CONSTRAINT ingestion_verification_verdict CHECK (verdict IN ('verified', 'erratum', 'expression_of_concern', 'partially_retracted', 'retracted', 'retracted_and_republished', 'unverifiable')),
    CONSTRAINT ingestion_verification_counts CHECK (counts = (verdict IN ('verified', 'erratum'))),
    CONSTRAINT ingestion_verification_identified CHECK (class NOT IN ('pubmed', 'crossref') OR pmid <> '' OR doi <> ''),
    CONSTRAINT ingestion_verification_reviewed CHECK (class IN ('pubmed', 'crossref') OR (approval_id IS NOT NULL AND approved IS NOT NULL AND approved)),
    CONSTRAINT ingestion_verification_source FOREIGN KEY (org_id, program_id, source_id, source_version_id) REFERENCES ingestion_source_version (org_id, program_id, source_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    CONSTRAINT ingestion_verification_approval FOREIGN KEY (org_id, approval_id, source_version_id, approved) REFERENCES ingestion_approval (org_id, id, source_version_id, approved) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX ingestion_verification_newest ON ingestion_verification (org_id, source_version_id, verified_at);

-- What is bound to a passage names its place and its id.
CREATE UNIQUE INDEX ingestion_passage_place ON ingestion_passage (org_id, source_version_id, ordinal, id);

-- Every request to a registry, with exactly what came back.
CREATE TABLE ingestion_registry_call (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    registry TEXT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT NOT NULL,
    body BYTEA NOT NULL,
    sha256 TEXT NOT NULL,
    finding TEXT NOT NULL,
    called_at BIGINT NOT NULL,
    CONSTRAINT ingestion_registry_call_key PRIMARY KEY (org_id, id),
    CONSTRAINT ingestion_registry_call_source FOREIGN KEY (org_id, source_version_id) REFERENCES ingestion_source_version (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX ingestion_registry_call_of_verification ON ingestion_registry_call (org_id, verification_id);

-- Source versions whose registry entry is looked at again.
CREATE TABLE ingestion_surveillance (
    org_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    pmid TEXT NOT NULL,
    doi TEXT NOT NULL,
    verdict TEXT NOT NULL,
    next_check_at BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    CONSTRAINT ingestion_surveillance_key PRIMARY KEY (org_id, source_version_id),
    CONSTRAINT ingestion_surveillance_source FOREIGN KEY (org_id, source_version_id) REFERENCES ingestion_source_version (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX ingestion_surveillance_due ON ingestion_surveillance (org_id, next_check_at);

-- A source version that lost its standing: its passages are served to nobody from here on.
CREATE TABLE ingestion_quarantine (
    org_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    quarantined_at BIGINT NOT NULL,
    CONSTRAINT ingestion_quarantine_key PRIMARY KEY (org_id, source_version_id),
    CONSTRAINT ingestion_quarantine_verification FOREIGN KEY (org_id, verification_id) REFERENCES ingestion_verification (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- What an editor has to look at.
CREATE TABLE ingestion_task (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT NOT NULL,
    outcome TEXT NOT NULL,
    CONSTRAINT ingestion_task_key PRIMARY KEY (org_id, id),
    CONSTRAINT ingestion_task_program FOREIGN KEY (org_id, program_id) REFERENCES ingestion_program (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);
