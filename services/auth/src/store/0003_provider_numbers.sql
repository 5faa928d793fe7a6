-- Numbers of providers at their accreditors, each confirmed for one org of this deployment.
CREATE TABLE auth_provider_number (
    body TEXT NOT NULL,
    number TEXT NOT NULL,
    org_id TEXT NOT NULL REFERENCES auth_org (id) ON UPDATE RESTRICT ON DELETE RESTRICT,
    held_by TEXT NOT NULL,
    held_at BIGINT NOT NULL,
    released_at BIGINT,
    PRIMARY KEY (body, number, held_at)
);

CREATE UNIQUE INDEX auth_provider_number_held ON auth_provider_number (body, number) WHERE released_at IS NULL;
