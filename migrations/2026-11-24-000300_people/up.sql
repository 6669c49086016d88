-- Staff.
CREATE TABLE app_user (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password_verifier text NOT NULL,
    is_owner boolean NOT NULL,
    token_epoch integer NOT NULL,
    disabled_at timestamptz,
    last_login_at timestamptz,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT app_user_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT app_user_email_check CHECK (char_length(email) BETWEEN 3 AND 254),
    CONSTRAINT app_user_email_check2 CHECK (email = lower(email)),
    CONSTRAINT app_user_name_check CHECK (char_length(name) BETWEEN 1 AND 80),
    CONSTRAINT app_user_token_epoch_check CHECK (token_epoch >= 0),
    CONSTRAINT app_user_version_check CHECK (version >= 1),
    CONSTRAINT app_user_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CREATE UNIQUE INDEX app_user_email_key ON app_user (tenant_id, email) WHERE deleted_at IS NULL;
CALL comanda_protect('app_user', 'SELECT, INSERT, UPDATE');

CREATE TABLE staff_grant (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT staff_grant_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT staff_grant_role_check CHECK (role IN ('waiter', 'kitchen', 'manager', 'admin')),
    CONSTRAINT staff_grant_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT staff_grant_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id)
);
CREATE UNIQUE INDEX staff_grant_role_key ON staff_grant (tenant_id, branch_id, user_id, role) WHERE deleted_at IS NULL;
CREATE INDEX staff_grant_user ON staff_grant (tenant_id, user_id);
CALL comanda_protect('staff_grant', 'SELECT, INSERT, UPDATE');

CREATE TABLE sector_assignment (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    sector_id uuid NOT NULL,
    user_id uuid NOT NULL,
    business_date date NOT NULL,
    shift text NOT NULL,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT sector_assignment_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT sector_assignment_shift_check CHECK (shift IN ('all_day', 'morning', 'afternoon', 'night')),
    CONSTRAINT sector_assignment_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT sector_assignment_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT sector_assignment_sector_fkey FOREIGN KEY (tenant_id, branch_id, sector_id) REFERENCES sector (tenant_id, branch_id, id),
    CONSTRAINT sector_assignment_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id)
);
CREATE UNIQUE INDEX sector_assignment_day_key ON sector_assignment (tenant_id, branch_id, sector_id, user_id, business_date, shift) WHERE deleted_at IS NULL;
CALL comanda_protect('sector_assignment', 'SELECT, INSERT, UPDATE');

-- One staff login. Found by its id alone before a tenant is known.
CREATE TABLE refresh_family (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    previous_hash bytea,
    rotated_at timestamptz,
    generation integer NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT refresh_family_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT refresh_family_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT refresh_family_previous_hash_check CHECK (octet_length(previous_hash) = 32),
    CONSTRAINT refresh_family_generation_check CHECK (generation >= 0),
    CONSTRAINT refresh_family_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id)
);
CREATE INDEX refresh_family_id ON refresh_family (id);
CREATE INDEX refresh_family_user ON refresh_family (tenant_id, user_id) WHERE revoked_at IS NULL;
CALL comanda_protect('refresh_family', 'SELECT, INSERT, UPDATE');

-- A remembered phone.
CREATE TABLE device (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    preferences jsonb NOT NULL,
    last_seen_at timestamptz NOT NULL,
    forgotten_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT device_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT device_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT device_token_key UNIQUE (tenant_id, token_hash),
    CONSTRAINT device_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CALL comanda_protect('device', 'SELECT, INSERT, UPDATE');

-- Finds the tenant of a login before one is known.
CREATE FUNCTION comanda_refresh_family(family uuid) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.tenant_id FROM public.refresh_family f WHERE f.id = family
$$;
ALTER FUNCTION comanda_refresh_family(uuid) OWNER TO comanda_migrator;
REVOKE ALL ON FUNCTION comanda_refresh_family(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION comanda_refresh_family(uuid) TO comanda_app;
