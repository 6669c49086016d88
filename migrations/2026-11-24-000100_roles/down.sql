-- The roles stay: other databases of the cluster may use them.
SET LOCAL ROLE comanda_migrator;
DROP FUNCTION comanda_i18n(jsonb, integer);
DROP FUNCTION comanda_stamp(timestamptz, text, uuid);
DROP PROCEDURE comanda_protect(regclass, boolean);
RESET ROLE;

DO $$
BEGIN
    IF to_regclass('public.__diesel_schema_migrations') IS NOT NULL THEN
        REVOKE SELECT ON public.__diesel_schema_migrations FROM comanda_app, comanda_backup, comanda_support;
    END IF;
END
$$;

REVOKE USAGE, CREATE ON SCHEMA public FROM comanda_migrator;
