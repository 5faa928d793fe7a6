-- The newest signed head of each log. The signer keeps its own memory outside this database; a row here that is younger
-- than that memory shows that the memory was lost.
CREATE TABLE audit_signed (
    org_id TEXT NOT NULL,
    part TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    note TEXT NOT NULL,
    PRIMARY KEY (org_id, part)
);
