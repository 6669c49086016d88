DROP TABLE service_call;
DROP TABLE cart_line_sharer;
DROP TABLE cart_line_modifier;
DROP TABLE cart_line;
DROP TABLE diner;
DROP TABLE table_session;
