-- Names of orgs and whose a provider's number is go into what is signed: a keyed hash over the whole row, as staff and
-- credentials have it. Rows that are there already are sealed once, at the next start. That this was done is remembered
-- outside of the database, so that taking a seal away has no row sealed anew.
ALTER TABLE auth_org ADD COLUMN seal TEXT NOT NULL DEFAULT '';

ALTER TABLE auth_provider_number ADD COLUMN seal TEXT NOT NULL DEFAULT '';
