-- Source versions that were retracted after answers had quoted them: those answers say so from then on.
CREATE TABLE answering_notice (
    org_id TEXT NOT NULL,
    source_version_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, source_version_id)
);
