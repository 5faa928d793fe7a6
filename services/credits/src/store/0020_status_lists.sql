-- Where a certificate stands in the provider's list of voided ones. A place belongs to one certificate forever, and is
-- chosen at random, so that neighbours in a list have nothing in common.
CREATE TABLE credits_status_entry (
    org_id TEXT NOT NULL,
    certificate_id TEXT NOT NULL,
    list BIGINT NOT NULL,
    place BIGINT NOT NULL,
    CONSTRAINT credits_status_entry_key PRIMARY KEY (org_id, certificate_id),
    CONSTRAINT credits_status_entry_place_once UNIQUE (org_id, list, place),
    CONSTRAINT credits_status_entry_on_the_list CHECK (list >= 1 AND place BETWEEN 0 AND 131071),
    CONSTRAINT credits_status_entry_certificate FOREIGN KEY (org_id, certificate_id) REFERENCES credits_certificate (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- A certificate on another paper than the one it was first printed on, made when its holder asks for it.
CREATE TABLE credits_certificate_sheet (
    org_id TEXT NOT NULL,
    certificate_id TEXT NOT NULL,
    paper TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sha256 TEXT NOT NULL,
    rendered_at BIGINT NOT NULL,
    CONSTRAINT credits_certificate_sheet_key PRIMARY KEY (org_id, certificate_id, paper),
    CONSTRAINT credits_certificate_sheet_paper CHECK (paper IN ('letter', 'a4')),
    CONSTRAINT credits_certificate_sheet_certificate FOREIGN KEY (org_id, certificate_id) REFERENCES credits_certificate (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- Lists are asked for by anybody, and voids are few.
CREATE INDEX credits_ledger_voids ON credits_ledger (org_id, award_id) WHERE kind = 'void';
CREATE INDEX credits_award_of_offer ON credits_award (org_id, offer_id);
