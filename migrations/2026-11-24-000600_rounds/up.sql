-- Rounds and the kitchen's tickets.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE round (
    tenant_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    branch_id          uuid        NOT NULL,
    session_id         uuid        NOT NULL,
    number             integer     NOT NULL CHECK (number >= 1),
    status             text        NOT NULL CONSTRAINT round_status
        CHECK (status IN ('pending', 'confirmed', 'submitted', 'in_kitchen', 'ready', 'served', 'canceled')),
    source             text        NOT NULL CONSTRAINT round_source CHECK (source IN ('diner', 'waiter')),
    notes              text        NOT NULL CHECK (char_length(notes) <= 200),
    menu_version       bigint      NOT NULL,
    cancel_reason      text        CHECK (char_length(cancel_reason) BETWEEN 3 AND 200),
    pending_at         timestamptz NOT NULL,
    pending_by_kind    text        NOT NULL,
    pending_by_id      uuid,
    confirmed_at       timestamptz,
    confirmed_by_kind  text,
    confirmed_by_id    uuid,
    submitted_at       timestamptz,
    submitted_by_kind  text,
    submitted_by_id    uuid,
    in_kitchen_at      timestamptz,
    in_kitchen_by_kind text,
    in_kitchen_by_id   uuid,
    ready_at           timestamptz,
    ready_by_kind      text,
    ready_by_id        uuid,
    served_at          timestamptz,
    served_by_kind     text,
    served_by_id       uuid,
    canceled_at        timestamptz,
    canceled_by_kind   text,
    canceled_by_id     uuid,
    version            bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, branch_id, session_id, id),     -- its items are of the same session
    UNIQUE (tenant_id, session_id, number),
    FOREIGN KEY (tenant_id, branch_id, session_id) REFERENCES table_session (tenant_id, branch_id, id),
    CONSTRAINT round_stamps CHECK (
        comanda_stamp(pending_at, pending_by_kind, pending_by_id)
        AND comanda_stamp(confirmed_at, confirmed_by_kind, confirmed_by_id)
        AND comanda_stamp(submitted_at, submitted_by_kind, submitted_by_id)
        AND comanda_stamp(in_kitchen_at, in_kitchen_by_kind, in_kitchen_by_id)
        AND comanda_stamp(ready_at, ready_by_kind, ready_by_id)
        AND comanda_stamp(served_at, served_by_kind, served_by_id)
        AND comanda_stamp(canceled_at, canceled_by_kind, canceled_by_id)),
    CONSTRAINT round_status_stamped CHECK (CASE status
        WHEN 'confirmed' THEN confirmed_at WHEN 'submitted' THEN submitted_at WHEN 'in_kitchen' THEN in_kitchen_at
        WHEN 'ready' THEN ready_at WHEN 'served' THEN served_at WHEN 'canceled' THEN canceled_at
        ELSE pending_at END IS NOT NULL),
    CONSTRAINT round_cancel_reason_given CHECK (canceled_by_kind IS DISTINCT FROM 'user' OR cancel_reason IS NOT NULL)
);
CREATE INDEX round_branch ON round (tenant_id, branch_id, status);

CREATE TABLE round_item (
    tenant_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    branch_id        uuid        NOT NULL,
    round_id         uuid        NOT NULL,
    session_id       uuid        NOT NULL,
    line_no          integer     NOT NULL CHECK (line_no >= 1),
    product_id       uuid        NOT NULL,
    product_name     jsonb       NOT NULL CHECK (jsonb_typeof(product_name) = 'object'),
    station          text        NOT NULL CONSTRAINT round_item_station
        CHECK (station IN ('bar', 'hot_kitchen', 'cold_kitchen', 'grill', 'pastry', 'other')),
    diner_id         uuid,
    sharing          text        NOT NULL CONSTRAINT round_item_sharing CHECK (sharing IN ('own', 'group', 'table')),
    qty              integer     NOT NULL CHECK (qty BETWEEN 1 AND 99),
    voided_qty       integer     NOT NULL DEFAULT 0,
    base_amount      bigint      NOT NULL CHECK (base_amount >= 0),
    modifiers_amount bigint      NOT NULL CHECK (modifiers_amount >= 0),
    unit_amount      bigint      NOT NULL,
    currency         text        NOT NULL CHECK (char_length(currency) = 3),
    notes            text        NOT NULL CHECK (char_length(notes) <= 200),
    allergen_alerts  text[]      NOT NULL CHECK (array_position(allergen_alerts, NULL) IS NULL),
    cart_line_id     uuid,       -- the consumed line, which is gone
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, session_id, id),
    UNIQUE (tenant_id, round_id, line_no),
    FOREIGN KEY (tenant_id, branch_id, session_id, round_id) REFERENCES round (tenant_id, branch_id, session_id, id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product,
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency),
    CONSTRAINT round_item_owner CHECK ((sharing = 'own') = (diner_id IS NOT NULL)),
    CONSTRAINT round_item_voided CHECK (voided_qty BETWEEN 0 AND qty),
    CONSTRAINT round_item_unit CHECK (unit_amount = base_amount + modifiers_amount)
);

CREATE TABLE round_item_modifier (
    tenant_id     uuid        NOT NULL,
    round_item_id uuid        NOT NULL,
    option_id     uuid        NOT NULL,
    name          jsonb       NOT NULL CHECK (jsonb_typeof(name) = 'object'),
    qty           integer     NOT NULL CHECK (qty BETWEEN 1 AND 10),
    unit_amount   bigint      NOT NULL CHECK (unit_amount >= 0),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, round_item_id, option_id),
    FOREIGN KEY (tenant_id, round_item_id) REFERENCES round_item,
    FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option
);

CREATE TABLE round_item_sharer (
    tenant_id     uuid        NOT NULL,
    round_item_id uuid        NOT NULL,
    session_id    uuid        NOT NULL,
    diner_id      uuid        NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, round_item_id, diner_id),
    FOREIGN KEY (tenant_id, session_id, round_item_id) REFERENCES round_item (tenant_id, session_id, id),
    FOREIGN KEY (tenant_id, session_id, diner_id) REFERENCES diner (tenant_id, session_id, id)
);

CREATE TABLE item_void (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    round_item_id uuid        NOT NULL,
    qty           integer     NOT NULL CHECK (qty BETWEEN 1 AND 99),
    reason        text        NOT NULL CHECK (char_length(btrim(reason)) BETWEEN 3 AND 200),
    made_at       timestamptz NOT NULL,
    made_by_kind  text        NOT NULL,
    made_by_id    uuid,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, round_item_id) REFERENCES round_item (tenant_id, branch_id, id),
    CONSTRAINT item_void_made CHECK (comanda_stamp(made_at, made_by_kind, made_by_id))
);
CREATE INDEX item_void_item ON item_void (tenant_id, round_item_id);

-- created_at is the moment of submission.
CREATE TABLE kitchen_ticket (
    tenant_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    branch_id           uuid        NOT NULL,
    round_id            uuid        NOT NULL,
    station             text        NOT NULL CONSTRAINT kitchen_ticket_station
        CHECK (station IN ('bar', 'hot_kitchen', 'cold_kitchen', 'grill', 'pastry', 'other')),
    status              text        NOT NULL CONSTRAINT kitchen_ticket_status
        CHECK (status IN ('pending', 'in_progress', 'ready', 'delivered', 'canceled')),
    in_progress_at      timestamptz,
    in_progress_by_kind text,
    in_progress_by_id   uuid,
    ready_at            timestamptz,
    ready_by_kind       text,
    ready_by_id         uuid,
    delivered_at        timestamptz,
    delivered_by_kind   text,
    delivered_by_id     uuid,
    canceled_at         timestamptz,
    canceled_by_kind    text,
    canceled_by_id      uuid,
    version             bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at          timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, round_id, station),
    FOREIGN KEY (tenant_id, branch_id, round_id) REFERENCES round (tenant_id, branch_id, id),
    CONSTRAINT kitchen_ticket_stamps CHECK (
        comanda_stamp(in_progress_at, in_progress_by_kind, in_progress_by_id)
        AND comanda_stamp(ready_at, ready_by_kind, ready_by_id)
        AND comanda_stamp(delivered_at, delivered_by_kind, delivered_by_id)
        AND comanda_stamp(canceled_at, canceled_by_kind, canceled_by_id)),
    CONSTRAINT kitchen_ticket_status_stamped CHECK (CASE status
        WHEN 'in_progress' THEN in_progress_at WHEN 'ready' THEN ready_at WHEN 'canceled' THEN canceled_at
        ELSE created_at END IS NOT NULL AND (status = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX kitchen_ticket_branch ON kitchen_ticket (tenant_id, branch_id, status, created_at);

CREATE TABLE kitchen_ticket_item (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    ticket_id     uuid        NOT NULL,
    round_item_id uuid        NOT NULL,
    qty           integer     NOT NULL CHECK (qty BETWEEN 1 AND 99),
    canceled_qty  integer     NOT NULL DEFAULT 0,
    status        text        NOT NULL CONSTRAINT kitchen_ticket_item_status
        CHECK (status IN ('pending', 'in_progress', 'ready', 'canceled')),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, ticket_id, round_item_id),
    UNIQUE (tenant_id, round_item_id),                 -- an item is on one ticket only
    FOREIGN KEY (tenant_id, branch_id, ticket_id) REFERENCES kitchen_ticket (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, round_item_id) REFERENCES round_item (tenant_id, branch_id, id),
    CONSTRAINT kitchen_ticket_item_canceled CHECK (canceled_qty BETWEEN 0 AND qty
        AND (status = 'canceled') = (canceled_qty = qty))
);

CALL comanda_protect('round', false);
CALL comanda_protect('round_item', false);
CALL comanda_protect('round_item_modifier', false);
CALL comanda_protect('round_item_sharer', false);
CALL comanda_protect('item_void', false);
CALL comanda_protect('kitchen_ticket', false);
CALL comanda_protect('kitchen_ticket_item', false);

GRANT SELECT, INSERT, UPDATE ON round, round_item, kitchen_ticket, kitchen_ticket_item TO comanda_app;
GRANT SELECT, INSERT ON round_item_modifier, round_item_sharer, item_void TO comanda_app;

RESET ROLE;
