SET LOCAL ROLE comanda_migrator;
DROP TABLE restaurant_table, sector, branch_counter, branch_provider, branch, tenant_directory, tenant;
RESET ROLE;
