-- Roles belong to the cluster, not to the database: another database may have made them already, or be making them.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['comanda_migrator', 'comanda_app', 'comanda_relay', 'comanda_backup', 'comanda_support'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the login may not create roles; run as a superuser: CREATE ROLE % NOLOGIN;', role_name;
        END;
    END LOOP;
END
$$;

-- Row level security for a table with a tenant_id. The inner SELECT makes PostgreSQL read the setting once per
-- statement; nullif, because a transaction-local setting reads as an empty string afterwards.
CREATE PROCEDURE comanda_protect(protected regclass, app_verbs text, relay_verbs text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT text := 'tenant_id = (SELECT nullif(current_setting(''comanda.tenant_id'', true), '''')::uuid)';
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format('CREATE POLICY tenant_isolation ON %s FOR ALL TO comanda_app, comanda_support USING (%s) WITH CHECK (%s)', protected, mine, mine);
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO comanda_migrator USING (true) WITH CHECK (true)', protected);
    EXECUTE format('GRANT %s ON %s TO comanda_app', app_verbs, protected);
    EXECUTE format('GRANT SELECT ON %s TO comanda_support, comanda_backup', protected);
    IF relay_verbs IS NOT NULL THEN
        EXECUTE format('CREATE POLICY relay_all ON %s FOR ALL TO comanda_relay USING (true) WITH CHECK (true)', protected);
        EXECUTE format('GRANT %s ON %s TO comanda_relay', relay_verbs, protected);
    END IF;
    EXECUTE format('ALTER TABLE %s OWNER TO comanda_migrator', protected);
END
$$;

-- One use of an idempotency key at a time; whoever comes second does not wait.
CREATE FUNCTION comanda_claim_key(key_number bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(key_number) THEN
        RAISE EXCEPTION 'idempotency_in_flight' USING ERRCODE = 'CM001';
    END IF;
END
$$;

-- A statement that wrote fewer rows than it should must not commit.
CREATE FUNCTION comanda_expect(actual bigint, wanted bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF actual <> wanted THEN
        RAISE EXCEPTION 'compare-and-set failed: % of % rows of %', actual, wanted, what USING ERRCODE = 'CM002';
    END IF;
END
$$;
GRANT USAGE, CREATE ON SCHEMA public TO comanda_migrator;
GRANT USAGE ON SCHEMA public TO comanda_app, comanda_relay, comanda_backup, comanda_support;
