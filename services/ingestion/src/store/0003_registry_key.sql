-- An org's own key for a registry, sealed: with it, the org's questions have a bucket of their own.
CREATE TABLE ingestion_registry_key (
    org_id TEXT NOT NULL,
    registry TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    fingerprint TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    CONSTRAINT ingestion_registry_key_key PRIMARY KEY (org_id, registry),
    CONSTRAINT ingestion_registry_key_registry CHECK (registry IN ('pubmed'))
);
