-- A keyed hash over each result, without which it earns nothing. It is a row of its own because results may only be added.
-- Results that are there already get theirs once, at the next start; that this was done is remembered outside of the
-- database, so that a result that was made by hand later on is never sealed.
CREATE TABLE credits_result_seal (
    org_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    seal TEXT NOT NULL,
    CONSTRAINT credits_result_seal_key PRIMARY KEY (org_id, attempt_id)
);
