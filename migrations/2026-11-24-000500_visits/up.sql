-- One visit of one party at a table.
CREATE TABLE table_session (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    table_id uuid NOT NULL,
    status text NOT NULL,
    seating integer NOT NULL,
    join_code text NOT NULL,
    party_size integer,
    note text,
    assigned_waiter_id uuid,
    cart_version bigint NOT NULL,
    next_round_number integer NOT NULL,
    opened_at timestamptz,
    opened_by_kind text,
    opened_by_id uuid,
    paying_at timestamptz,
    paying_by_kind text,
    paying_by_id uuid,
    closed_at timestamptz,
    closed_by_kind text,
    closed_by_id uuid,
    close_reason text,
    last_activity_at timestamptz NOT NULL,
    flagged_idle_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT table_session_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT table_session_status_check CHECK (status IN ('open', 'paying', 'closed')),
    CONSTRAINT table_session_seating_check CHECK (seating >= 1),
    CONSTRAINT table_session_join_code_check CHECK (join_code ~ '^[0-9]{4}$'),
    CONSTRAINT table_session_party_size_check CHECK (party_size BETWEEN 1 AND 50),
    CONSTRAINT table_session_note_check CHECK (char_length(note) BETWEEN 0 AND 200),
    CONSTRAINT table_session_cart_version_check CHECK (cart_version >= 0),
    CONSTRAINT table_session_next_round_number_check CHECK (next_round_number >= 1),
    CONSTRAINT table_session_opened_stamp CHECK ((opened_at IS NULL) = (opened_by_kind IS NULL) AND (opened_by_kind IS NULL OR opened_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT table_session_opened_set CHECK (opened_at IS NOT NULL),
    CONSTRAINT table_session_paying_stamp CHECK ((paying_at IS NULL) = (paying_by_kind IS NULL) AND (paying_by_kind IS NULL OR paying_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT table_session_closed_stamp CHECK ((closed_at IS NULL) = (closed_by_kind IS NULL) AND (closed_by_kind IS NULL OR closed_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT table_session_close_reason_check CHECK (close_reason IN ('paid', 'empty', 'forced')),
    CONSTRAINT table_session_version_check CHECK (version >= 1),
    CONSTRAINT table_session_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT table_session_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT table_session_closed_once CHECK ((status = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (close_reason IS NULL)),
    CONSTRAINT table_session_table_fkey FOREIGN KEY (tenant_id, branch_id, table_id) REFERENCES restaurant_table (tenant_id, branch_id, id),
    CONSTRAINT table_session_waiter_fkey FOREIGN KEY (tenant_id, assigned_waiter_id) REFERENCES app_user (tenant_id, id)
);
CREATE UNIQUE INDEX table_session_live_key ON table_session (tenant_id, table_id) WHERE status <> 'closed';
CREATE INDEX table_session_branch ON table_session (tenant_id, branch_id) WHERE status <> 'closed';
CALL comanda_protect('table_session', 'SELECT, INSERT, UPDATE');

-- One named person of a visit.
CREATE TABLE diner (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    session_id uuid NOT NULL,
    name text NOT NULL,
    color text NOT NULL,
    client_ref text,
    device_id uuid,
    registered_by_user_id uuid,
    preferences jsonb NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT diner_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT diner_name_check CHECK (char_length(name) BETWEEN 1 AND 50),
    CONSTRAINT diner_color_check CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    CONSTRAINT diner_client_ref_check CHECK (char_length(client_ref) BETWEEN 8 AND 64),
    CONSTRAINT diner_version_check CHECK (version >= 1),
    CONSTRAINT diner_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT diner_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT diner_session_key UNIQUE (tenant_id, session_id, id),
    CONSTRAINT diner_client_ref_key UNIQUE (tenant_id, session_id, client_ref),
    CONSTRAINT diner_session_fkey FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    CONSTRAINT diner_device_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id),
    CONSTRAINT diner_registered_by_fkey FOREIGN KEY (tenant_id, registered_by_user_id) REFERENCES app_user (tenant_id, id)
);
CALL comanda_protect('diner', 'SELECT, INSERT, UPDATE');

-- Equal lines are one line; checked at commit, since merging changes one line and deletes the other.
CREATE TABLE cart_line (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    session_id uuid NOT NULL,
    diner_id uuid NOT NULL,
    product_id uuid NOT NULL,
    qty integer NOT NULL,
    sharing text NOT NULL,
    notes text NOT NULL,
    config_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT cart_line_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT cart_line_qty_check CHECK (qty BETWEEN 1 AND 99),
    CONSTRAINT cart_line_sharing_check CHECK (sharing IN ('own', 'group', 'table')),
    CONSTRAINT cart_line_notes_check CHECK (char_length(notes) BETWEEN 0 AND 200),
    CONSTRAINT cart_line_config_hash_check CHECK (octet_length(config_hash) = 32),
    CONSTRAINT cart_line_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT cart_line_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT cart_line_session_key UNIQUE (tenant_id, session_id, id),
    CONSTRAINT cart_line_config_key UNIQUE (tenant_id, session_id, diner_id, product_id, config_hash) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT cart_line_session_fkey FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    CONSTRAINT cart_line_diner_fkey FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    CONSTRAINT cart_line_product_fkey FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id)
);
CALL comanda_protect('cart_line', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE cart_line_modifier (
    tenant_id uuid NOT NULL,
    cart_line_id uuid NOT NULL,
    option_id uuid NOT NULL,
    qty integer NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT cart_line_modifier_pkey PRIMARY KEY (tenant_id, cart_line_id, option_id),
    CONSTRAINT cart_line_modifier_qty_check CHECK (qty BETWEEN 1 AND 10),
    CONSTRAINT cart_line_modifier_line_fkey FOREIGN KEY (tenant_id, cart_line_id) REFERENCES cart_line (tenant_id, id),
    CONSTRAINT cart_line_modifier_option_fkey FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option (tenant_id, id)
);
CALL comanda_protect('cart_line_modifier', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE cart_line_sharer (
    tenant_id uuid NOT NULL,
    cart_line_id uuid NOT NULL,
    session_id uuid NOT NULL,
    diner_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT cart_line_sharer_pkey PRIMARY KEY (tenant_id, cart_line_id, diner_id),
    CONSTRAINT cart_line_sharer_line_fkey FOREIGN KEY (tenant_id, session_id, cart_line_id) REFERENCES cart_line (tenant_id, session_id, id),
    CONSTRAINT cart_line_sharer_diner_fkey FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);
CREATE INDEX cart_line_sharer_session ON cart_line_sharer (tenant_id, session_id);
CALL comanda_protect('cart_line_sharer', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE service_call (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    session_id uuid NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    note text,
    raised_by_diner_id uuid,
    reminder_count integer NOT NULL,
    last_reminder_at timestamptz,
    acked_at timestamptz,
    acked_by_kind text,
    acked_by_id uuid,
    closed_at timestamptz,
    closed_by_kind text,
    closed_by_id uuid,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT service_call_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT service_call_type_check CHECK (type IN ('waiter', 'payment_help', 'other')),
    CONSTRAINT service_call_status_check CHECK (status IN ('open', 'acked', 'closed', 'canceled')),
    CONSTRAINT service_call_note_check CHECK (char_length(note) BETWEEN 0 AND 200),
    CONSTRAINT service_call_reminder_count_check CHECK (reminder_count >= 0),
    CONSTRAINT service_call_acked_stamp CHECK ((acked_at IS NULL) = (acked_by_kind IS NULL) AND (acked_by_kind IS NULL OR acked_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT service_call_closed_stamp CHECK ((closed_at IS NULL) = (closed_by_kind IS NULL) AND (closed_by_kind IS NULL OR closed_by_kind IN ('diner', 'user', 'api_key', 'provider', 'system'))),
    CONSTRAINT service_call_version_check CHECK (version >= 1),
    CONSTRAINT service_call_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT service_call_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT service_call_session_fkey FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    CONSTRAINT service_call_diner_fkey FOREIGN KEY (tenant_id, session_id, raised_by_diner_id) REFERENCES diner (tenant_id, session_id, id)
);
CREATE UNIQUE INDEX service_call_open_key ON service_call (tenant_id, session_id, type) WHERE status = 'open';
CREATE INDEX service_call_waiting ON service_call (tenant_id, branch_id, created_at) WHERE status IN ('open', 'acked');
CREATE INDEX service_call_session ON service_call (tenant_id, session_id);
CALL comanda_protect('service_call', 'SELECT, INSERT, UPDATE');
