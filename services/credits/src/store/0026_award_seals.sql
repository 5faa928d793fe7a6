-- A keyed hash over each credit, made by the claim that it came of. Without it a credit is shown to no one and nothing is
-- signed for it. It is a row of its own because credits may only be added. Credits that are there already get theirs once,
-- at the next start; that this was done is remembered outside of the database, so that a credit that was made by hand later
-- on is never sealed.
CREATE TABLE credits_award_seal (
    org_id TEXT NOT NULL,
    award_id TEXT NOT NULL,
    seal TEXT NOT NULL,
    CONSTRAINT credits_award_seal_key PRIMARY KEY (org_id, award_id)
);
