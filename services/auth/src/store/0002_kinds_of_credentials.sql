-- Rows from before seals cannot be told from rows that were changed by hand: they are not kept. The command
-- `preceptor operator` lets the operator of the machine in again.
DROP TABLE auth_credential;
DROP TABLE auth_staff;

CREATE TABLE auth_staff (
    org_id TEXT NOT NULL REFERENCES auth_org (id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'reviewer', 'analyst', 'auditor', 'supporter')),
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'suspended', 'removed')),
    -- Encrypted under the org's key.
    email TEXT,
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- A keyed hash over the whole row.
    seal TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE auth_credential (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'session', 'link', 'learner', 'service', 'operator')),
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    staff_id TEXT,
    subject TEXT NOT NULL,
    program_id TEXT,
    -- The member of staff who acts through a learner's credential.
    acting TEXT,
    -- The credential it was made with: it ends no later, and with it.
    parent_id TEXT,
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    revoked_at BIGINT,
    seal TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, staff_id) REFERENCES auth_staff (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    FOREIGN KEY (org_id, parent_id) REFERENCES auth_credential (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    -- A person's credential names them or is bound to a program; those of apps and of the operator are neither.
    CONSTRAINT auth_credential_holder CHECK (
        (kind IN ('service', 'operator') AND staff_id IS NULL AND program_id IS NULL)
        OR (kind IN ('api', 'session', 'link', 'learner') AND (staff_id IS NOT NULL) <> (program_id IS NOT NULL))
    ),
    CONSTRAINT auth_credential_end CHECK (expires_at < 9223372036854775807)
);

CREATE INDEX auth_credential_staff ON auth_credential (org_id, staff_id);
