-- Staff, their rights and logins, and remembered phones.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE app_user (
    tenant_id         uuid        NOT NULL REFERENCES tenant,
    id                uuid        NOT NULL,
    email             text        NOT NULL CHECK (email = lower(email) AND char_length(email) BETWEEN 3 AND 254),
    name              text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    password_verifier text        NOT NULL,
    is_owner          boolean     NOT NULL DEFAULT false,
    token_epoch       integer     NOT NULL DEFAULT 1 CHECK (token_epoch >= 0),
    disabled_at       timestamptz,
    last_login_at     timestamptz,
    version           bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at        timestamptz NOT NULL,
    deleted_at        timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX app_user_email_live ON app_user (tenant_id, email) WHERE deleted_at IS NULL;

CREATE TABLE staff_grant (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    branch_id  uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    role       text        NOT NULL CONSTRAINT staff_grant_role CHECK (role IN ('waiter', 'kitchen', 'manager', 'admin')),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch,
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user
);
CREATE UNIQUE INDEX staff_grant_live ON staff_grant (tenant_id, branch_id, user_id, role) WHERE deleted_at IS NULL;
CREATE INDEX staff_grant_user ON staff_grant (tenant_id, user_id) WHERE deleted_at IS NULL;

CREATE TABLE sector_assignment (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    sector_id     uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    business_date date        NOT NULL,
    shift         text        NOT NULL
        CONSTRAINT sector_assignment_shift CHECK (shift IN ('all_day', 'morning', 'afternoon', 'night')),
    created_at    timestamptz NOT NULL,
    deleted_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, sector_id) REFERENCES sector (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user
);
CREATE UNIQUE INDEX sector_assignment_live
    ON sector_assignment (tenant_id, branch_id, business_date, sector_id, user_id, shift) WHERE deleted_at IS NULL;

CREATE TABLE refresh_family (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    token_hash    bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    previous_hash bytea       CHECK (octet_length(previous_hash) = 32),
    rotated_at    timestamptz,
    generation    integer     NOT NULL DEFAULT 1 CHECK (generation >= 0),
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user,
    CONSTRAINT refresh_family_rotation CHECK ((previous_hash IS NULL) = (rotated_at IS NULL))
);
-- A refresh token names its family and not its tenant: comanda_refresh_family looks it up here.
CREATE INDEX refresh_family_lookup ON refresh_family (id);
CREATE INDEX refresh_family_user ON refresh_family (tenant_id, user_id);

CREATE TABLE device (
    tenant_id    uuid        NOT NULL REFERENCES tenant,
    id           uuid        NOT NULL,
    token_hash   bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    preferences  jsonb       NOT NULL CHECK (jsonb_typeof(preferences) = 'object'),
    last_seen_at timestamptz NOT NULL,
    forgotten_at timestamptz,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, token_hash)
);

CALL comanda_protect('app_user', false);
CALL comanda_protect('staff_grant', false);
CALL comanda_protect('sector_assignment', false);
CALL comanda_protect('refresh_family', false);
CALL comanda_protect('device', false);

GRANT SELECT, INSERT, UPDATE ON app_user, staff_grant, sector_assignment, refresh_family, device TO comanda_app;

RESET ROLE;
