-- The bill.
CREATE TABLE guest_check (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    session_id uuid NOT NULL,
    number bigint NOT NULL,
    status text NOT NULL,
    currency text NOT NULL,
    total_amount bigint NOT NULL,
    paid_amount bigint NOT NULL,
    surplus_amount bigint NOT NULL,
    split_revision integer NOT NULL,
    requested_at timestamptz,
    requested_by_kind text,
    requested_by_id uuid,
    voided_at timestamptz,
    voided_by_kind text,
    voided_by_id uuid,
    paid_at timestamptz,
    settled_at timestamptz,
    business_day date,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT guest_check_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT guest_check_number_check CHECK (number >= 1),
    CONSTRAINT guest_check_status_check CHECK (status IN ('requested', 'in_payment', 'paid', 'partially_refunded', 'refunded', 'void')),
    CONSTRAINT guest_check_total_amount_check CHECK (total_amount BETWEEN 0 AND 1000000000000),
    CONSTRAINT guest_check_paid_amount_check CHECK (paid_amount >= 0),
    CONSTRAINT guest_check_surplus_amount_check CHECK (surplus_amount >= 0),
    CONSTRAINT guest_check_split_revision_check CHECK (split_revision >= 0),
    CONSTRAINT guest_check_requested_stamp CHECK ((requested_at IS NULL) = (requested_by_kind IS NULL) AND (requested_by_kind IS NULL OR requested_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT guest_check_requested_set CHECK (requested_at IS NOT NULL),
    CONSTRAINT guest_check_voided_stamp CHECK ((voided_at IS NULL) = (voided_by_kind IS NULL) AND (voided_by_kind IS NULL OR voided_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT guest_check_version_check CHECK (version >= 1),
    CONSTRAINT guest_check_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT guest_check_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT guest_check_number_key UNIQUE (tenant_id, branch_id, number),
    CONSTRAINT guest_check_session_key UNIQUE (tenant_id, session_id, id),
    CONSTRAINT guest_check_paid CHECK (paid_amount <= total_amount AND (settled_at IS NOT NULL OR voided_at IS NOT NULL OR paid_amount = total_amount OR surplus_amount = 0)),
    CONSTRAINT guest_check_status CHECK (status = CASE WHEN voided_at IS NOT NULL THEN 'void' WHEN paid_amount = total_amount THEN 'paid' WHEN settled_at IS NOT NULL AND paid_amount = 0 THEN 'refunded' WHEN settled_at IS NOT NULL THEN 'partially_refunded' WHEN paid_amount > 0 THEN 'in_payment' ELSE 'requested' END),
    CONSTRAINT guest_check_business_day CHECK ((settled_at IS NULL) = (business_day IS NULL)),
    CONSTRAINT guest_check_session_fkey FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    CONSTRAINT guest_check_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CREATE UNIQUE INDEX guest_check_live_key ON guest_check (tenant_id, session_id) WHERE settled_at IS NULL AND voided_at IS NULL;
CREATE INDEX guest_check_branch ON guest_check (tenant_id, branch_id, id);
CALL comanda_protect('guest_check', 'SELECT, INSERT, UPDATE');

-- What one round item costs on a check; an item is on one check only.
CREATE TABLE charge (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    check_id uuid NOT NULL,
    session_id uuid NOT NULL,
    round_item_id uuid NOT NULL,
    position integer NOT NULL,
    qty integer NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    diner_id uuid,
    description jsonb NOT NULL,
    released_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT charge_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT charge_position_check CHECK (position >= 1),
    CONSTRAINT charge_qty_check CHECK (qty BETWEEN 1 AND 99),
    CONSTRAINT charge_amount_check CHECK (amount >= 0),
    CONSTRAINT charge_description_check CHECK (jsonb_typeof(description) = 'object'),
    CONSTRAINT charge_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT charge_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT charge_item_key UNIQUE (tenant_id, check_id, round_item_id),
    CONSTRAINT charge_check_key UNIQUE (tenant_id, check_id, id),
    CONSTRAINT charge_check_fkey FOREIGN KEY (tenant_id, branch_id, check_id) REFERENCES guest_check (tenant_id, branch_id, id),
    CONSTRAINT charge_session_fkey FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    CONSTRAINT charge_item_fkey FOREIGN KEY (tenant_id, session_id, round_item_id) REFERENCES round_item (tenant_id, session_id, id),
    CONSTRAINT charge_diner_fkey FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    CONSTRAINT charge_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CREATE UNIQUE INDEX charge_unreleased_key ON charge (tenant_id, round_item_id) WHERE released_at IS NULL;
CALL comanda_protect('charge', 'SELECT, INSERT, UPDATE');

-- Money given, or promised by a provider; entered at created_at.
CREATE TABLE payment (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    check_id uuid NOT NULL,
    session_id uuid NOT NULL,
    provider text NOT NULL,
    status text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    tip_amount bigint NOT NULL,
    payer_diner_id uuid,
    tendered_amount bigint,
    change_amount bigint,
    unallocated_amount bigint NOT NULL,
    refunded_amount bigint NOT NULL,
    refunded_tip_amount bigint NOT NULL,
    external_id text,
    checkout_url text,
    reference text,
    failure_code text,
    split_revision integer NOT NULL,
    expires_at timestamptz,
    created_by_kind text NOT NULL,
    created_by_id uuid,
    approved_at timestamptz,
    approved_by_kind text,
    approved_by_id uuid,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT payment_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT payment_provider_check CHECK (provider IN ('cash', 'card_terminal', 'transfer', 'mercado_pago', 'sandbox')),
    CONSTRAINT payment_status_check CHECK (status IN ('created', 'pending', 'rejected', 'expired', 'canceled', 'approved', 'partially_refunded', 'refunded', 'charged_back')),
    CONSTRAINT payment_amount_check CHECK (amount > 0),
    CONSTRAINT payment_amount_check2 CHECK (amount <= 1000000000000),
    CONSTRAINT payment_tip_amount_check CHECK (tip_amount BETWEEN 0 AND 1000000000000),
    CONSTRAINT payment_tendered_amount_check CHECK (tendered_amount >= 0),
    CONSTRAINT payment_change_amount_check CHECK (change_amount >= 0),
    CONSTRAINT payment_unallocated_amount_check CHECK (unallocated_amount >= 0),
    CONSTRAINT payment_external_id_check CHECK (char_length(external_id) BETWEEN 1 AND 200),
    CONSTRAINT payment_checkout_url_check CHECK (char_length(checkout_url) BETWEEN 1 AND 1000),
    CONSTRAINT payment_reference_check CHECK (char_length(reference) BETWEEN 1 AND 200),
    CONSTRAINT payment_failure_code_check CHECK (char_length(failure_code) BETWEEN 1 AND 200),
    CONSTRAINT payment_split_revision_check CHECK (split_revision >= 0),
    CONSTRAINT payment_created_by_kind_check CHECK (created_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system')),
    CONSTRAINT payment_approved_stamp CHECK ((approved_at IS NULL) = (approved_by_kind IS NULL) AND (approved_by_kind IS NULL OR approved_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT payment_version_check CHECK (version >= 1),
    CONSTRAINT payment_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT payment_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT payment_external_key UNIQUE (tenant_id, provider, external_id),
    CONSTRAINT payment_check_key UNIQUE (tenant_id, check_id, id),
    CONSTRAINT payment_refunded CHECK (refunded_amount BETWEEN 0 AND amount AND refunded_tip_amount BETWEEN 0 AND tip_amount),
    CONSTRAINT payment_cash CHECK ((tendered_amount IS NULL) = (change_amount IS NULL) AND (tendered_amount IS NULL OR (provider = 'cash' AND tendered_amount - change_amount = amount + tip_amount))),
    CONSTRAINT payment_check_fkey FOREIGN KEY (tenant_id, branch_id, check_id) REFERENCES guest_check (tenant_id, branch_id, id),
    CONSTRAINT payment_session_fkey FOREIGN KEY (tenant_id, session_id, check_id) REFERENCES guest_check (tenant_id, session_id, id),
    CONSTRAINT payment_payer_fkey FOREIGN KEY (tenant_id, session_id, payer_diner_id) REFERENCES diner (tenant_id, session_id, id),
    CONSTRAINT payment_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CREATE INDEX payment_under_way ON payment (tenant_id, expires_at) WHERE status IN ('created', 'pending');
CREATE INDEX payment_check ON payment (tenant_id, check_id, created_at);
CALL comanda_protect('payment', 'SELECT, INSERT, UPDATE');

-- Whose share a payment covers. A named guest with nothing left to cover keeps a row of 0: the order decides allocation.
CREATE TABLE payment_cover (
    tenant_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    position integer NOT NULL,
    session_id uuid NOT NULL,
    diner_id uuid NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT payment_cover_pkey PRIMARY KEY (tenant_id, payment_id, position),
    CONSTRAINT payment_cover_position_check CHECK (position >= 1),
    CONSTRAINT payment_cover_amount_check CHECK (amount >= 0),
    CONSTRAINT payment_cover_payment_fkey FOREIGN KEY (tenant_id, payment_id) REFERENCES payment (tenant_id, id),
    CONSTRAINT payment_cover_diner_fkey FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);
CALL comanda_protect('payment_cover', 'SELECT, INSERT, UPDATE, DELETE');

-- A ledger line of its own. Append-only.
CREATE TABLE tip (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    check_id uuid NOT NULL,
    session_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    diner_id uuid,
    waiter_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT tip_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT tip_amount_check CHECK (amount > 0),
    CONSTRAINT tip_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT tip_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT tip_payment_key UNIQUE (tenant_id, payment_id),
    CONSTRAINT tip_payment_fkey FOREIGN KEY (tenant_id, check_id, payment_id) REFERENCES payment (tenant_id, check_id, id),
    CONSTRAINT tip_check_fkey FOREIGN KEY (tenant_id, branch_id, check_id) REFERENCES guest_check (tenant_id, branch_id, id),
    CONSTRAINT tip_diner_fkey FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    CONSTRAINT tip_waiter_fkey FOREIGN KEY (tenant_id, waiter_id) REFERENCES app_user (tenant_id, id),
    CONSTRAINT tip_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CALL comanda_protect('tip', 'SELECT, INSERT');

-- The part of a payment that covers a charge, in order of seq. Append-only.
CREATE TABLE allocation (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    check_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    seq integer NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT allocation_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT allocation_seq_check CHECK (seq >= 1),
    CONSTRAINT allocation_amount_check CHECK (amount <> 0),
    CONSTRAINT allocation_reason_check CHECK (reason IN ('payment', 'refund', 'rebalance')),
    CONSTRAINT allocation_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT allocation_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT allocation_seq_key UNIQUE (tenant_id, payment_id, seq),
    CONSTRAINT allocation_payment_fkey FOREIGN KEY (tenant_id, check_id, payment_id) REFERENCES payment (tenant_id, check_id, id),
    CONSTRAINT allocation_charge_fkey FOREIGN KEY (tenant_id, check_id, charge_id) REFERENCES charge (tenant_id, check_id, id),
    CONSTRAINT allocation_check_fkey FOREIGN KEY (tenant_id, branch_id, check_id) REFERENCES guest_check (tenant_id, branch_id, id),
    CONSTRAINT allocation_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CREATE INDEX allocation_charge ON allocation (tenant_id, charge_id);
CREATE INDEX allocation_check ON allocation (tenant_id, check_id);
CALL comanda_protect('allocation', 'SELECT, INSERT');

CREATE TABLE check_split (
    tenant_id uuid NOT NULL,
    check_id uuid NOT NULL,
    revision integer NOT NULL,
    method text NOT NULL,
    made_at timestamptz,
    made_by_kind text,
    made_by_id uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT check_split_pkey PRIMARY KEY (tenant_id, check_id, revision),
    CONSTRAINT check_split_revision_check CHECK (revision >= 1),
    CONSTRAINT check_split_method_check CHECK (method IN ('equal', 'by_consumption', 'custom')),
    CONSTRAINT check_split_made_stamp CHECK ((made_at IS NULL) = (made_by_kind IS NULL) AND (made_by_kind IS NULL OR made_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT check_split_made_set CHECK (made_at IS NOT NULL),
    CONSTRAINT check_split_check_fkey FOREIGN KEY (tenant_id, check_id) REFERENCES guest_check (tenant_id, id)
);
CALL comanda_protect('check_split', 'SELECT, INSERT');

CREATE TABLE check_share (
    tenant_id uuid NOT NULL,
    check_id uuid NOT NULL,
    revision integer NOT NULL,
    session_id uuid NOT NULL,
    diner_id uuid NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT check_share_pkey PRIMARY KEY (tenant_id, check_id, revision, diner_id),
    CONSTRAINT check_share_amount_check CHECK (amount >= 0),
    CONSTRAINT check_share_split_fkey FOREIGN KEY (tenant_id, check_id, revision) REFERENCES check_split (tenant_id, check_id, revision),
    CONSTRAINT check_share_diner_fkey FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);
CALL comanda_protect('check_share', 'SELECT, INSERT');
