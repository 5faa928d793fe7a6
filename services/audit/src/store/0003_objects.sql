-- Which records speak of an object, so that everything the log holds about a link of a credit can be proved in one call.
-- Records that were there before this table are proved by their event.
CREATE TABLE audit_object (
    org_id TEXT NOT NULL,
    object TEXT NOT NULL,
    idx BIGINT NOT NULL CHECK (idx >= 0),
    PRIMARY KEY (org_id, object, idx)
);
