DROP TABLE restaurant_table;
DROP TABLE sector;
DROP TABLE branch_counter;
DROP TABLE branch_provider;
DROP TABLE branch;
DROP TABLE tenant_directory;
DROP TABLE tenant;
