-- How many codes of a second factor were wrong in a row, on whatever node, and until when none is taken.

alter table second_factor
    add column failures      integer not null default 0,
    add column refused_until timestamptz;
