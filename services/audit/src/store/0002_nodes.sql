-- Roots of perfect subtrees above the leaves, so that a proof reads a handful of rows whatever the size of the log. Those
-- of leaves that were there before this table are computed when they are needed.
CREATE TABLE audit_node (
    org_id TEXT NOT NULL,
    level BIGINT NOT NULL CHECK (level > 0),
    place BIGINT NOT NULL CHECK (place >= 0),
    hash BYTEA NOT NULL,
    PRIMARY KEY (org_id, level, place)
);
