CREATE TABLE audit_leaf (
    org_id TEXT NOT NULL,
    idx BIGINT NOT NULL CHECK (idx >= 0),
    leaf_hash BYTEA NOT NULL,
    event_id TEXT NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (org_id, idx),
    UNIQUE (org_id, event_id)
);

-- The one row per org that changes: how far the log is, and what an append needs to go on.
CREATE TABLE audit_head (
    org_id TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL CHECK (size > 0),
    root BYTEA NOT NULL,
    frontier BYTEA NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE audit_producer (
    org_id TEXT NOT NULL,
    producer TEXT NOT NULL,
    last_sequence BIGINT NOT NULL CHECK (last_sequence > 0),
    PRIMARY KEY (org_id, producer)
);
