SET LOCAL ROLE comanda_migrator;
DROP TABLE event_shard, audit_stage, outbox_stage, idempotency_record;
RESET ROLE;
