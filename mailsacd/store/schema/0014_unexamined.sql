-- Mail that was stored before it was worked out what is in it: written by the statement that stores
-- it, deleted when that is done. The facts of its copies have a placeholder until then.

create table unexamined (
    raw_id  text collate "C" primary key,
    inboxes text[] collate "C" not null   -- of its copies, in the order of their ids
);
-- Most of the time it is empty. After a burst all of it is dead, and whoever looks at it then would
-- have to pass over that: so it is cleaned by a number of rows, not by a part of them.
alter table unexamined set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = -1,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 100000
);
