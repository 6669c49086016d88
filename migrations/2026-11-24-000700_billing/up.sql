-- The check: a ledger of charges, payments, tips and allocations.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE guest_check (
    tenant_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    branch_id         uuid        NOT NULL,
    session_id        uuid        NOT NULL,
    number            bigint      NOT NULL CHECK (number >= 1),
    status            text        NOT NULL CONSTRAINT guest_check_status
        CHECK (status IN ('requested', 'in_payment', 'paid', 'partially_refunded', 'refunded', 'void')),
    currency          text        NOT NULL CHECK (char_length(currency) = 3),
    total_amount      bigint      NOT NULL CHECK (total_amount BETWEEN 0 AND 1000000000000),
    paid_amount       bigint      NOT NULL DEFAULT 0 CHECK (paid_amount >= 0),
    surplus_amount    bigint      NOT NULL DEFAULT 0 CHECK (surplus_amount >= 0),
    split_revision    integer     NOT NULL DEFAULT 0 CHECK (split_revision >= 0),
    requested_at      timestamptz NOT NULL,
    requested_by_kind text        NOT NULL,
    requested_by_id   uuid,
    voided_at         timestamptz,
    voided_by_kind    text,
    voided_by_id      uuid,
    paid_at           timestamptz,
    settled_at        timestamptz,
    business_day      date,
    version           bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, session_id, id),
    UNIQUE (tenant_id, branch_id, number),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency),
    CONSTRAINT guest_check_stamps CHECK (comanda_stamp(requested_at, requested_by_kind, requested_by_id)
        AND comanda_stamp(voided_at, voided_by_kind, voided_by_id)),
    CONSTRAINT guest_check_paid_within_total CHECK (paid_amount <= total_amount
        AND (settled_at IS NOT NULL OR voided_at IS NOT NULL OR paid_amount = total_amount OR surplus_amount = 0)),
    CONSTRAINT guest_check_status_derived CHECK (status = CASE
        WHEN voided_at IS NOT NULL THEN 'void'
        WHEN paid_amount = total_amount THEN 'paid'
        WHEN settled_at IS NOT NULL AND paid_amount = 0 THEN 'refunded'
        WHEN settled_at IS NOT NULL THEN 'partially_refunded'
        WHEN paid_amount > 0 THEN 'in_payment'
        ELSE 'requested' END),
    CONSTRAINT guest_check_paid_at CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CONSTRAINT guest_check_ended CHECK ((settled_at IS NULL OR voided_at IS NULL)
        AND (settled_at IS NULL) = (business_day IS NULL))
);
CREATE UNIQUE INDEX guest_check_live ON guest_check (tenant_id, session_id) WHERE settled_at IS NULL AND voided_at IS NULL;
CREATE INDEX guest_check_branch ON guest_check (tenant_id, branch_id, status);

CREATE TABLE charge (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    check_id      uuid        NOT NULL,
    session_id    uuid        NOT NULL,
    round_item_id uuid        NOT NULL,
    position      integer     NOT NULL CHECK (position >= 1),
    qty           integer     NOT NULL CHECK (qty BETWEEN 1 AND 99),
    amount        bigint      NOT NULL CHECK (amount >= 0),
    currency      text        NOT NULL CHECK (char_length(currency) = 3),
    diner_id      uuid,
    description   jsonb       NOT NULL CHECK (jsonb_typeof(description) = 'object'),
    released_at   timestamptz,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, check_id, round_item_id),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, round_item_id) REFERENCES round_item (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CREATE UNIQUE INDEX charge_item_billed ON charge (tenant_id, round_item_id) WHERE released_at IS NULL;

CREATE TABLE payment (
    tenant_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    branch_id           uuid        NOT NULL,
    check_id            uuid        NOT NULL,
    session_id          uuid        NOT NULL,
    provider            text        NOT NULL CONSTRAINT payment_provider
        CHECK (provider IN ('cash', 'card_terminal', 'transfer', 'mercado_pago', 'sandbox')),
    status              text        NOT NULL CONSTRAINT payment_status
        CHECK (status IN ('created', 'pending', 'rejected', 'expired', 'canceled', 'approved', 'partially_refunded',
                          'refunded', 'charged_back')),
    currency            text        NOT NULL CHECK (char_length(currency) = 3),
    amount              bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000),
    tip_amount          bigint      NOT NULL DEFAULT 0 CHECK (tip_amount BETWEEN 0 AND 1000000000000),
    payer_diner_id      uuid,
    tendered_amount     bigint,
    change_amount       bigint,
    unallocated_amount  bigint      NOT NULL DEFAULT 0 CHECK (unallocated_amount >= 0),
    refunded_amount     bigint      NOT NULL DEFAULT 0,
    refunded_tip_amount bigint      NOT NULL DEFAULT 0,
    external_id         text        CHECK (char_length(external_id) BETWEEN 1 AND 200),
    checkout_url        text        CHECK (char_length(checkout_url) <= 1000),
    reference           text        CHECK (char_length(reference) <= 200),
    failure_code        text        CHECK (char_length(failure_code) <= 200),
    split_revision      integer     NOT NULL DEFAULT 0 CHECK (split_revision >= 0),
    expires_at          timestamptz,
    created_at          timestamptz NOT NULL,          -- also the time of the stamp `created`
    created_by_kind     text        NOT NULL,
    created_by_id       uuid,
    approved_at         timestamptz,
    approved_by_kind    text,
    approved_by_id      uuid,
    version             bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, session_id, id),
    UNIQUE (tenant_id, provider, external_id),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, payer_diner_id) REFERENCES diner (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency),
    CONSTRAINT payment_stamps CHECK (comanda_stamp(created_at, created_by_kind, created_by_id)
        AND comanda_stamp(approved_at, approved_by_kind, approved_by_id)
        AND (approved_at IS NOT NULL) = (status IN ('approved', 'partially_refunded', 'refunded', 'charged_back'))),
    CONSTRAINT payment_refunded CHECK (refunded_amount BETWEEN 0 AND amount AND refunded_tip_amount BETWEEN 0 AND tip_amount),
    CONSTRAINT payment_cash CHECK (CASE provider
        WHEN 'cash' THEN change_amount >= 0 AND (tendered_amount - change_amount = amount + tip_amount) IS TRUE
        ELSE tendered_amount IS NULL AND change_amount IS NULL END)
);
CREATE INDEX payment_check ON payment (tenant_id, check_id);

CREATE TABLE payment_cover (
    tenant_id  uuid        NOT NULL,
    payment_id uuid        NOT NULL,
    position   integer     NOT NULL CHECK (position >= 1),
    session_id uuid        NOT NULL,
    diner_id   uuid        NOT NULL,
    amount     bigint      NOT NULL CHECK (amount >= 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, position),
    FOREIGN KEY (tenant_id, session_id, payment_id) REFERENCES payment (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);

CREATE TABLE tip (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    branch_id  uuid        NOT NULL,
    check_id   uuid        NOT NULL,
    session_id uuid        NOT NULL,
    payment_id uuid        NOT NULL,
    amount     bigint      NOT NULL CHECK (amount > 0),
    currency   text        NOT NULL CHECK (char_length(currency) = 3),
    diner_id   uuid,
    waiter_id  uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, payment_id) REFERENCES payment (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, waiter_id) REFERENCES app_user,
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);

CREATE TABLE allocation (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    branch_id  uuid        NOT NULL,
    payment_id uuid        NOT NULL,
    charge_id  uuid        NOT NULL,
    seq        integer     NOT NULL CHECK (seq >= 1),
    amount     bigint      NOT NULL,
    currency   text        NOT NULL CHECK (char_length(currency) = 3),
    reason     text        NOT NULL CONSTRAINT allocation_reason CHECK (reason IN ('payment', 'refund', 'rebalance')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, payment_id, seq),
    FOREIGN KEY (tenant_id, branch_id, payment_id) REFERENCES payment (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, charge_id) REFERENCES charge (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency),
    CONSTRAINT allocation_sign CHECK (CASE reason
        WHEN 'payment' THEN amount > 0 WHEN 'refund' THEN amount < 0 ELSE amount <> 0 END)
);
CREATE INDEX allocation_charge ON allocation (tenant_id, charge_id);

CREATE TABLE check_split (
    tenant_id    uuid        NOT NULL,
    check_id     uuid        NOT NULL,
    revision     integer     NOT NULL CHECK (revision >= 1),
    session_id   uuid        NOT NULL,
    method       text        NOT NULL CONSTRAINT check_split_method CHECK (method IN ('equal', 'by_consumption', 'custom')),
    made_at      timestamptz NOT NULL,
    made_by_kind text        NOT NULL,
    made_by_id   uuid,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, check_id, revision),
    FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    CONSTRAINT check_split_made CHECK (comanda_stamp(made_at, made_by_kind, made_by_id))
);

CREATE TABLE check_share (
    tenant_id  uuid        NOT NULL,
    check_id   uuid        NOT NULL,
    revision   integer     NOT NULL,
    session_id uuid        NOT NULL,
    diner_id   uuid        NOT NULL,
    amount     bigint      NOT NULL CHECK (amount >= 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, check_id, revision, diner_id),
    FOREIGN KEY (tenant_id, check_id, revision) REFERENCES check_split,
    FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);

CALL comanda_protect('guest_check', false);
CALL comanda_protect('charge', false);
CALL comanda_protect('payment', false);
CALL comanda_protect('payment_cover', false);
CALL comanda_protect('tip', false);
CALL comanda_protect('allocation', false);
CALL comanda_protect('check_split', false);
CALL comanda_protect('check_share', false);

GRANT SELECT, INSERT, UPDATE ON guest_check, payment TO comanda_app;
GRANT SELECT, INSERT, UPDATE (released_at) ON charge TO comanda_app;
GRANT SELECT, INSERT, UPDATE (amount), DELETE ON payment_cover TO comanda_app;    -- a refund reduces covers
GRANT SELECT, INSERT ON tip, allocation, check_split, check_share TO comanda_app;

RESET ROLE;
