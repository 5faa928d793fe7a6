-- Of every org: the newest row of each member of staff, by its seal, and the credentials that were revoked before their end. Its
-- revision is remembered outside of the database too, so that an old row that is put back is noticed, alone or with its roll.
CREATE TABLE auth_roll (
    org_id TEXT NOT NULL PRIMARY KEY REFERENCES auth_org (id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    revision BIGINT NOT NULL CHECK (revision > 0),
    content TEXT NOT NULL,
    -- A keyed hash over the whole row.
    seal TEXT NOT NULL
);
