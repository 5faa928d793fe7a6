-- The admin who made the credential of an app, which ends with them. Unknown for rows from before: these go on to their end.
ALTER TABLE auth_credential ADD COLUMN made_by TEXT;

CREATE INDEX auth_credential_made_by ON auth_credential (org_id, made_by);
