-- What an org chose for its certificates. Without a row, the rules of the accrediting body decide.
CREATE TABLE credits_setting (
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    CONSTRAINT credits_setting_key PRIMARY KEY (org_id, name),
    CONSTRAINT credits_setting_known CHECK (name = 'paper' AND value IN ('letter', 'a4'))
);
