SET LOCAL ROLE comanda_migrator;
ALTER TABLE outbox_stage
    DROP CONSTRAINT outbox_stage_attributes,
    DROP CONSTRAINT outbox_stage_data,
    DROP CONSTRAINT outbox_stage_type,
    DROP CONSTRAINT outbox_stage_ids,
    DROP CONSTRAINT outbox_stage_of_branch;
RESET ROLE;
