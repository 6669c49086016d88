DROP TABLE event_shard;
DROP TABLE audit_stage;
DROP TABLE outbox_stage;
DROP TABLE idempotency_record;
