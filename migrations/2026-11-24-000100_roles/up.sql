-- Roles, and what every later migration uses.
--
-- Roles belong to the cluster: other databases may create them in the same moment, so creating one that
-- has appeared meanwhile is no error. Logins are the operator's; these roles are only entered by SET ROLE.
DO $$
DECLARE
    wanted  record;
    missing text := '';
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('comanda_migrator', 'NOLOGIN'),            -- owns the schema
            ('comanda_app',      'NOLOGIN'),            -- what the application does, under row security
            ('comanda_relay',    'NOLOGIN'),            -- moves and claims work of all tenants
            ('comanda_backup',   'NOLOGIN BYPASSRLS'),  -- dumps
            ('comanda_support',  'NOLOGIN')             -- reads, under row security
        ) AS roles (name, attributes)
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name);
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                missing := missing || format(E'CREATE ROLE %I %s;\n', wanted.name, wanted.attributes);
        END;
    END LOOP;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'comanda_backup' AND NOT rolbypassrls) THEN
        missing := missing || E'ALTER ROLE comanda_backup BYPASSRLS;\n';
    END IF;

    -- Entering comanda_migrator needs membership; a superuser has it.
    IF missing = '' AND NOT pg_has_role('comanda_migrator', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT comanda_migrator TO %I', session_user);
        EXCEPTION
            WHEN unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                missing := missing || format(E'GRANT comanda_migrator TO %I;\n', session_user);
        END;
    END IF;

    IF missing <> '' THEN
        RAISE EXCEPTION 'the database roles of Comanda are incomplete'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = E'Run as a superuser, then migrate again:\n' || missing;
    END IF;
END
$$;

GRANT USAGE, CREATE ON SCHEMA public TO comanda_migrator;

-- The list of applied migrations belongs to whoever migrates; the application compares it at start-up.
DO $$
BEGIN
    IF to_regclass('public.__diesel_schema_migrations') IS NOT NULL THEN
        GRANT SELECT ON public.__diesel_schema_migrations TO comanda_app, comanda_backup, comanda_support;
    END IF;
END
$$;

SET LOCAL ROLE comanda_migrator;

-- Tenants apart: the policies of every table with a tenant_id. The inner SELECT reads the setting once per
-- statement; nullif, because a transaction-local setting reads as an empty string afterwards.
CREATE PROCEDURE comanda_protect(target regclass, relay boolean) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %s FOR ALL TO comanda_app, comanda_support
            USING (tenant_id = (SELECT nullif(current_setting(''comanda.tenant_id'', true), '''')::uuid))
            WITH CHECK (tenant_id = (SELECT nullif(current_setting(''comanda.tenant_id'', true), '''')::uuid))',
        target);
    -- FORCE would blind the owner and with it SECURITY DEFINER functions.
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO comanda_migrator USING (true) WITH CHECK (true)', target);
    IF relay THEN
        EXECUTE format('CREATE POLICY relay_all ON %s FOR ALL TO comanda_relay USING (true) WITH CHECK (true)', target);
    END IF;
    EXECUTE format('GRANT SELECT ON %s TO comanda_backup, comanda_support', target);
END
$$;
REVOKE EXECUTE ON PROCEDURE comanda_protect(regclass, boolean) FROM PUBLIC;

-- A stamp is written as a whole or not at all, and names somebody unless a provider or the system acted.
-- A plain expression, so that PostgreSQL inlines it into the CHECK that calls it.
CREATE FUNCTION comanda_stamp(at timestamptz, by_kind text, by_id uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN by_kind IS NULL THEN at IS NULL AND by_id IS NULL
        WHEN by_kind IN ('diner', 'user', 'api_key') THEN at IS NOT NULL AND by_id IS NOT NULL
        WHEN by_kind IN ('provider', 'system') THEN at IS NOT NULL AND by_id IS NULL
        ELSE false
    END;

-- A text per language tag, each of 1 to `longest` characters, at least one.
CREATE FUNCTION comanda_i18n(texts jsonb, longest integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT CASE
            WHEN jsonb_typeof(texts) <> 'object' THEN false
            ELSE coalesce((
                SELECT bool_and(jsonb_typeof(value) = 'string' AND char_length(value #>> '{}') BETWEEN 1 AND longest)
                  FROM jsonb_each(texts)), false)
        END
    $$;

RESET ROLE;
