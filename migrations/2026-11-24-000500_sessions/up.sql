-- Sessions, diners, carts and calls.
--
-- A row that names a diner carries session_id and refers to its parent and to the diner through
-- (tenant_id, session_id, …), so that it cannot name a guest of another table.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE table_session (
    tenant_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    branch_id          uuid        NOT NULL,
    table_id           uuid        NOT NULL,
    status             text        NOT NULL CONSTRAINT table_session_status CHECK (status IN ('open', 'paying', 'closed')),
    seating            integer     NOT NULL DEFAULT 1 CHECK (seating >= 1),
    join_code          text        NOT NULL CHECK (join_code ~ '^[0-9]{4}$'),
    party_size         integer     CHECK (party_size BETWEEN 1 AND 50),
    note               text        CHECK (char_length(note) <= 200),
    assigned_waiter_id uuid,
    cart_version       bigint      NOT NULL DEFAULT 0 CHECK (cart_version >= 0),
    next_round_number  integer     NOT NULL DEFAULT 1 CHECK (next_round_number >= 1),
    opened_at          timestamptz NOT NULL,
    opened_by_kind     text        NOT NULL,
    opened_by_id       uuid,
    paying_at          timestamptz,
    paying_by_kind     text,
    paying_by_id       uuid,
    closed_at          timestamptz,
    closed_by_kind     text,
    closed_by_id       uuid,
    close_reason       text
        CONSTRAINT table_session_close_reason CHECK (close_reason IN ('paid', 'empty', 'forced')),
    last_activity_at   timestamptz NOT NULL,
    flagged_idle_at    timestamptz,
    version            bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, table_id) REFERENCES restaurant_table (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, assigned_waiter_id) REFERENCES app_user,
    CONSTRAINT table_session_opened CHECK (comanda_stamp(opened_at, opened_by_kind, opened_by_id)),
    CONSTRAINT table_session_paying CHECK (comanda_stamp(paying_at, paying_by_kind, paying_by_id)
        AND (status <> 'paying' OR paying_at IS NOT NULL)),
    CONSTRAINT table_session_closed CHECK (comanda_stamp(closed_at, closed_by_kind, closed_by_id)
        AND (status = 'closed') = (closed_at IS NOT NULL) AND (status = 'closed') = (close_reason IS NOT NULL))
);
CREATE UNIQUE INDEX table_session_live ON table_session (tenant_id, table_id) WHERE status <> 'closed';
CREATE INDEX table_session_branch ON table_session (tenant_id, branch_id, status);

CREATE TABLE diner (
    tenant_id             uuid        NOT NULL,
    id                    uuid        NOT NULL,
    branch_id             uuid        NOT NULL,
    session_id            uuid        NOT NULL,
    name                  text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    color                 text        NOT NULL CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    client_ref            text        CHECK (char_length(client_ref) BETWEEN 8 AND 64),
    device_id             uuid,
    registered_by_user_id uuid,
    preferences           jsonb       NOT NULL CHECK (jsonb_typeof(preferences) = 'object'),
    version               bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at            timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, session_id, id),
    UNIQUE (tenant_id, session_id, client_ref),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device,
    FOREIGN KEY (tenant_id, registered_by_user_id) REFERENCES app_user
);
CREATE INDEX diner_device ON diner (tenant_id, device_id) WHERE device_id IS NOT NULL;

CREATE TABLE cart_line (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    branch_id   uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    diner_id    uuid        NOT NULL,
    product_id  uuid        NOT NULL,
    qty         integer     NOT NULL CHECK (qty BETWEEN 1 AND 99),
    sharing     text        NOT NULL CONSTRAINT cart_line_sharing CHECK (sharing IN ('own', 'group', 'table')),
    notes       text        NOT NULL CHECK (char_length(notes) <= 200),
    config_hash bytea       NOT NULL CHECK (octet_length(config_hash) = 32),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, session_id, id),
    -- Deferred: of two lines that become equal one is deleted in the statement that changes the other.
    CONSTRAINT cart_line_twins UNIQUE (tenant_id, session_id, diner_id, product_id, config_hash)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product
);

CREATE TABLE cart_line_modifier (
    tenant_id    uuid        NOT NULL,
    cart_line_id uuid        NOT NULL,
    option_id    uuid        NOT NULL,
    qty          integer     NOT NULL CHECK (qty BETWEEN 1 AND 10),
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, cart_line_id, option_id),
    FOREIGN KEY (tenant_id, cart_line_id) REFERENCES cart_line ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option
);

CREATE TABLE cart_line_sharer (
    tenant_id    uuid        NOT NULL,
    cart_line_id uuid        NOT NULL,
    session_id   uuid        NOT NULL,
    diner_id     uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, cart_line_id, diner_id),
    FOREIGN KEY (tenant_id, session_id, cart_line_id) REFERENCES cart_line (tenant_id, session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);

CREATE TABLE service_call (
    tenant_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    branch_id          uuid        NOT NULL,
    session_id         uuid        NOT NULL,
    type               text        NOT NULL
        CONSTRAINT service_call_type CHECK (type IN ('waiter', 'payment_help', 'other')),
    status             text        NOT NULL
        CONSTRAINT service_call_status CHECK (status IN ('open', 'acked', 'closed', 'canceled')),
    note               text        CHECK (char_length(note) <= 200),
    raised_by_diner_id uuid,
    reminder_count     integer     NOT NULL DEFAULT 0 CHECK (reminder_count >= 0),
    last_reminder_at   timestamptz,
    acked_at           timestamptz,
    acked_by_kind      text,
    acked_by_id        uuid,
    closed_at          timestamptz,
    closed_by_kind     text,
    closed_by_id       uuid,
    version            bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, session_id, raised_by_diner_id) REFERENCES diner (tenant_id, session_id, id),
    CONSTRAINT service_call_acked CHECK (comanda_stamp(acked_at, acked_by_kind, acked_by_id)
        AND (status <> 'acked' OR acked_at IS NOT NULL)),
    CONSTRAINT service_call_closed CHECK (comanda_stamp(closed_at, closed_by_kind, closed_by_id)
        AND (status IN ('closed', 'canceled')) = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX service_call_open ON service_call (tenant_id, session_id, type) WHERE status = 'open';
CREATE INDEX service_call_session ON service_call (tenant_id, session_id);
CREATE INDEX service_call_branch ON service_call (tenant_id, branch_id, status, created_at);

CALL comanda_protect('table_session', false);
CALL comanda_protect('diner', false);
CALL comanda_protect('cart_line', false);
CALL comanda_protect('cart_line_modifier', false);
CALL comanda_protect('cart_line_sharer', false);
CALL comanda_protect('service_call', false);

GRANT SELECT, INSERT, UPDATE ON table_session, diner, service_call TO comanda_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cart_line, cart_line_modifier, cart_line_sharer TO comanda_app;

RESET ROLE;
