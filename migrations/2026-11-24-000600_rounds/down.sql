DROP TABLE kitchen_ticket_item;
DROP TABLE kitchen_ticket;
DROP TABLE item_void;
DROP TABLE round_item_sharer;
DROP TABLE round_item_modifier;
DROP TABLE round_item;
DROP TABLE round;
