-- What could not be numbered, or told from others, is refused when it is staged. The sequencer moves many branches'
-- events in one transaction: a row that it cannot place would hold up all of them.
SET LOCAL ROLE comanda_migrator;

ALTER TABLE outbox_stage
    ADD CONSTRAINT outbox_stage_of_branch FOREIGN KEY (tenant_id, branch_id) REFERENCES branch,
    ADD CONSTRAINT outbox_stage_ids CHECK (
        tenant_id <> '00000000-0000-0000-0000-000000000000' AND event_id <> '00000000-0000-0000-0000-000000000000'
        AND subject <> ''),
    ADD CONSTRAINT outbox_stage_type CHECK (type ~ '^dev\.comanda\.[a-z_]+(\.[a-z_]+)*\.v[1-9][0-9]*$'),
    ADD CONSTRAINT outbox_stage_data CHECK (jsonb_typeof(data) = 'object'),
    ADD CONSTRAINT outbox_stage_attributes CHECK (jsonb_typeof(attributes) = 'object');

RESET ROLE;
