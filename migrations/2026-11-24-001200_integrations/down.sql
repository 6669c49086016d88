SET LOCAL ROLE comanda_migrator;
DROP FUNCTION comanda_api_key(text);
DROP TABLE webhook_attempt;
DROP TABLE webhook_delivery;
DROP TABLE webhook_branch;
DROP TABLE webhook_endpoint;
DROP TABLE api_key_branch;
DROP TABLE api_key;
RESET ROLE;
