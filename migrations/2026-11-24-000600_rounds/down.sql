SET LOCAL ROLE comanda_migrator;
DROP TABLE kitchen_ticket_item, kitchen_ticket, item_void, round_item_sharer, round_item_modifier, round_item, round;
RESET ROLE;
