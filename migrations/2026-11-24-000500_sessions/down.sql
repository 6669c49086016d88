SET LOCAL ROLE comanda_migrator;
DROP TABLE service_call, cart_line_sharer, cart_line_modifier, cart_line, diner, table_session;
RESET ROLE;
