CREATE TABLE auth_org (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    default_app_id TEXT NOT NULL,
    plan TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE auth_staff (
    org_id TEXT NOT NULL REFERENCES auth_org (id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'reviewer', 'analyst', 'auditor', 'supporter')),
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE auth_credential (
    org_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'session', 'link', 'learner', 'operator')),
    secret_hash TEXT NOT NULL UNIQUE,
    staff_id TEXT,
    subject TEXT NOT NULL,
    program_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, staff_id) REFERENCES auth_staff (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    -- A staff credential names its staff; a learner's is bound to a program.
    CHECK ((kind = 'operator') OR (staff_id IS NOT NULL) <> (program_id IS NOT NULL))
);
