-- Deliveries wait in a line for each URL of an account's, so that one which refuses all holds up no
-- other at the same host. A URL may be too long for an index.
create index delivery_line on delivery (target, account, (md5(url) collate "C"), due)
    where due is not null;
drop index delivery_waiting;
